// Measures Headstone beside BullMQ without its promises, in turns, on one redis-server and over real HTTP, and prints ratios.
// `npm run bench` takes about eight minutes. `--quick` is one short round of what does not take long.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { withRedisServer } from '../tools/redis-server.ts';
import { startPostgres } from './postgres.ts';
import { type Finding, findings } from './ratios.ts';
import { short, writeReadme } from './readme.ts';
import { whereAndWhen } from './report.ts';
import { type Place, type Sample, type Scenario, startProcess } from './scenario.ts';
import { cancel } from './scenarios/cancel.ts';
import { detection } from './scenarios/detection.ts';
import { enqueue } from './scenarios/enqueue.ts';
import { growth } from './scenarios/growth.ts';
import { idle } from './scenarios/idle.ts';
import { lifecycle } from './scenarios/lifecycle.ts';
import { parked } from './scenarios/parked.ts';
import { polls } from './scenarios/polls.ts';
import { waste } from './scenarios/waste.ts';

const scenarios: Scenario[] = [lifecycle, enqueue, polls, cancel, waste, detection, idle, parked, growth];

interface Options {
  jobs: number;
  rounds: number;
  scenarios: Scenario[];
  json: string | undefined;
  write: boolean;
}

const usage = `The options are --quick, --only NAMES (${scenarios.map(({ name }) => name).join(', ')}), --jobs N, --rounds N, --json FILE and --write.`;

/** Throws for an option that it does not know, and for a value that cannot be meant. */
function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      jobs: { type: 'string' },
      rounds: { type: 'string' },
      json: { type: 'string' },
      write: { type: 'boolean', default: false },
    },
  });
  const named = values.only?.split(',').map(name => {
    const scenario = scenarios.find(one => one.name === name);
    if (!scenario) throw new Error(`There is no scenario "${name}".`);
    return scenario;
  });
  return {
    jobs: whole('--jobs', values.jobs ?? (values.quick ? '200' : '2000')),
    rounds: whole('--rounds', values.rounds ?? (values.quick ? '1' : '5')),
    scenarios: named ?? scenarios.filter(({ isLong }) => !(values.quick && isLong)),
    json: values.json,
    write: values.write,
  };
}

function whole(option: string, text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new Error(`${option} must be a whole number of at least 1, and not "${text}".`);
}

async function run(options: Options): Promise<void> {
  const { jobs, rounds, json, write } = options;
  const found: Finding[] = [];
  await withRedisServer(async server => {
    if (!server)
      throw new Error('redis-server is not on the PATH. The benchmark needs a real one: apt-get install redis-server.');
    const provider = startProcess('./instant-provider.ts');
    const [providerUrl] = (await once(provider, 'message')) as [string];
    const redis = new Redis(server.url);
    const postgres = options.scenarios.includes(lifecycle) ? await startPostgres() : undefined;
    const postgresUrl = postgres?.url;
    const place = {
      redis,
      redisUrl: server.url,
      providerUrl,
      jobs,
      ...(postgresUrl === undefined ? {} : { postgresUrl }),
    };
    for (const scenario of options.scenarios)
      found.push(...findings(scenario.name, await measure(scenario, place, scenario.isLong ? 1 : rounds)));
    redis.disconnect();
    postgres?.stop();
    provider.kill();
  });
  print(found, jobs, rounds);
  if (write) writeReadme(found, scenarios, { jobs, rounds });
  if (json !== undefined)
    writeFileSync(json, `${JSON.stringify({ ...whereAndWhen(), jobs, rounds, findings: found }, null, 2)}\n`);
}

async function measure(scenario: Scenario, place: Place, rounds: number): Promise<Sample[][]> {
  const samples: Sample[][] = [];
  for (let round = 0; round < rounds; round += 1) {
    process.stderr.write(`${scenario.name}, round ${round + 1} of ${rounds}\n`);
    samples.push(await scenario.measure(place, round));
  }
  return samples;
}

function print(found: Finding[], jobs: number, rounds: number): void {
  const { date, commit, machine } = whereAndWhen();
  const columns = (cells: string[]) => cells.map((cell, n) => (n === 0 ? cell.padEnd(50) : cell.padStart(11))).join('');
  const lines = found.map(({ figure, ours, against, goal = '' }) => {
    const beside = against
      ? [short(against.theirs), ...[against.min, against.median, against.max].map(ratio => `${ratio.toFixed(2)} ×`)]
      : ['', '', '', ''];
    return `${columns([figure, short(ours), ...beside, goal])}  ${against?.name ?? ''}`;
  });
  process.stdout.write(
    `\nHeadstone beside others, ${jobs} jobs, ${rounds} rounds\n${machine}, ${date}, commit ${commit}\n\n${[
      columns(['', 'headstone', 'other', 'min', 'median', 'max', 'goal']),
      ...lines,
    ].join('\n')}\n`,
  );
}

try {
  await run(readOptions(process.argv.slice(2)));
  process.exit(0);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${message.replace(/\.?$/, '.')} ${usage}\n`);
  process.exit(1);
}
