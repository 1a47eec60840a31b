// npm run soak -- --minutes 10: processes are hit each second under load, and nothing may be lost. It prints a table, and ends
// with 1 if a promise was broken or too little happened.
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { hasRedisServer } from '../../../tools/redis-server.ts';
import { soak } from './soak.ts';
import { shortcomingsOf, tableOf } from './table.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
  },
});
const [minutes, rate, seed] = [Number(values.minutes), Number(values.rate), Number(values.seed)];
if (!(minutes > 0 && rate > 0 && Number.isInteger(seed)))
  throw new Error('--minutes and --rate are positive numbers, and --seed is a whole one.');
if (!hasRedisServer())
  throw new Error(
    'The soak needs a redis-server on the PATH of which it may do what it likes: apt-get install redis-server.',
  );

const MOST_SHOWN = 40;

const report = await soak({ minutes, rate, seed, onProgress: line => process.stderr.write(`${line}\n`) });
const shortcomings = shortcomingsOf(report);
process.stdout.write(`${tableOf(report)}\n`);
for (const sentence of [...report.violations.slice(0, MOST_SHOWN), ...shortcomings])
  process.stdout.write(`${sentence}\n`);
if (report.violations.length > MOST_SHOWN)
  process.stdout.write(`… and ${report.violations.length - MOST_SHOWN} more.\n`);
for (const sentence of report.gaveUp.slice(0, MOST_SHOWN)) process.stderr.write(`Gave up: ${sentence}\n`);
process.exitCode = report.violations.length + shortcomings.length > 0 ? 1 : 0;
