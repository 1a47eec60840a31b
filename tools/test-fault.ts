// npm run test:fault: breaks things on a real redis-server. Without options the short forms, in a few minutes.
//
// --rounds N   each step and each answer in every scene, N times; 20 take an hour and a half
// --minutes M  how long the soak hits processes (1)
// --rate R     jobs a second in the soak (50)
// --seed S     repeats the choices of an earlier run
// --write      writes docs/reliability.md
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Finding } from '../test/fault/form.ts';
import { soak } from '../test/fault/soak/soak.ts';
import { tableOf } from '../test/fault/soak/table.ts';
import { hasRedisServer, withRedisServer } from './redis-server.ts';
import { writeReliability } from './reliability.ts';
import { resultOfSoak } from './soak-result.ts';
import { runSuite, summarize } from './suite.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '0' },
    minutes: { type: 'string', default: '1' },
    rate: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
    write: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const minutes = Number(values.minutes);
const rate = Number(values.rate);
const seed = Number(values.seed);
if (!(Number.isInteger(rounds) && rounds >= 0 && minutes > 0 && rate > 0 && Number.isInteger(seed)))
  throw new Error('--rounds and --seed are whole numbers, and --minutes and --rate are positive ones.');
const LONGEST_MS = 4 * 3_600_000;

if (hasRedisServer()) await run();
else {
  process.stdout.write(
    'The fault tests need a redis-server on the PATH, which they may kill: apt-get install redis-server.\n',
  );
  process.exitCode = 1;
}

async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'headstone-faults-'));
  const file = join(folder, 'findings');
  const env = { FAULT_ROUNDS: String(rounds), FAULT_SEED: String(seed), FAULT_FINDINGS: file };
  const suite = await withRedisServer(async redis =>
    runSuite('faults', ['test/fault'], { ...env, TEST_REDIS_URL: redis?.url ?? '' }, LONGEST_MS),
  );
  const findings = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Finding);
  rmSync(folder, { recursive: true });

  process.stdout.write('\n== soak\n');
  const soaked = await soak({ minutes, rate, seed, onProgress: line => process.stdout.write(`${line}\n`) });
  process.stdout.write(`${tableOf(soaked)}\n`);
  if (values.write) writeReliability({ findings, suite, soaked, rounds, seed });
  summarize([suite, resultOfSoak(soaked)]);
}
