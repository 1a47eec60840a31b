// Measures Headstone beside BullMQ without its promises, in turns, on one redis-server and over real HTTP, and prints ratios.
// `npm run bench` takes about two minutes. `--quick` is one short round.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { withRedisServer } from '../tools/redis-server.ts';
import { type Contestant, measureLifecycle, startProcess } from './lifecycle.ts';
import { type Figures, type Ratio, ratios } from './ratios.ts';
import { short, writeReadme } from './readme.ts';
import { whereAndWhen } from './report.ts';

interface Options {
  jobs: number;
  rounds: number;
  json: string | undefined;
  write: boolean;
}

const usage = 'The options are --quick, --jobs N, --rounds N, --json FILE and --write.';

/** Throws for an option that it does not know, and for a number that is none. */
function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      jobs: { type: 'string' },
      rounds: { type: 'string' },
      json: { type: 'string' },
      write: { type: 'boolean', default: false },
    },
  });
  return {
    jobs: whole('--jobs', values.jobs ?? (values.quick ? '200' : '2000')),
    rounds: whole('--rounds', values.rounds ?? (values.quick ? '1' : '5')),
    json: values.json,
    write: values.write,
  };
}

function whole(option: string, text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new Error(`${option} must be a whole number of at least 1, and not "${text}".`);
}

async function run({ jobs, rounds, json, write }: Options): Promise<void> {
  const figures: Record<Contestant, Figures[]> = { headstone: [], hops: [] };
  await withRedisServer(async redis => {
    if (!redis)
      throw new Error('redis-server is not on the PATH. The benchmark needs a real one: apt-get install redis-server.');
    const provider = startProcess('./instant-provider.ts');
    const [providerUrl] = (await once(provider, 'message')) as [string];
    for (let round = 0; round < rounds; round += 1) {
      // Who begins changes, because the machine's speed drifts.
      const order: Contestant[] = round % 2 === 0 ? ['headstone', 'hops'] : ['hops', 'headstone'];
      for (const contestant of order) {
        const measured = await measureLifecycle(contestant, { jobs, redisUrl: redis.url, providerUrl });
        figures[contestant].push(measured);
        process.stderr.write(
          `round ${round + 1} of ${rounds}, ${contestant}: ${Math.round(measured['jobs done per second'] ?? 0)} jobs a second\n`,
        );
      }
    }
    provider.kill();
  });
  const compared = ratios(figures.headstone, figures.hops);
  print(compared, jobs, rounds);
  if (write) writeReadme(compared, jobs, rounds);
  if (json !== undefined)
    writeFileSync(json, `${JSON.stringify({ ...whereAndWhen(), jobs, rounds, ratios: compared, figures }, null, 2)}\n`);
}

function print(compared: Ratio[], jobs: number, rounds: number): void {
  const { date, commit, machine } = whereAndWhen();
  const columns = (cells: string[]) => cells.map((cell, n) => (n === 0 ? cell.padEnd(26) : cell.padStart(11))).join('');
  const lines = compared.map(({ figure, min, median, max, headstone, opponent }) =>
    columns([figure, ...[min, median, max].map(value => `${value.toFixed(2)} ×`), short(headstone), short(opponent)]),
  );
  process.stdout.write(
    `\nHeadstone against BullMQ without promises (hops), ${jobs} jobs, ${rounds} rounds\n${machine}, ${date}, commit ${commit}\n\n${[
      columns(['', 'min', 'median', 'max', 'headstone', 'hops']),
      ...lines,
    ].join('\n')}\n`,
  );
}

try {
  await run(readOptions(process.argv.slice(2)));
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${message.replace(/\.?$/, '.')} ${usage}\n`);
  process.exitCode = 1;
}
