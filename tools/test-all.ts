// What `npm test` leaves out: the other store, the long forms, a soak of one minute and the mutants. Run `npm test` first.
import { randomInt } from 'node:crypto';
import { soak } from '../test/fault/soak/soak.ts';
import { tableOf } from '../test/fault/soak/table.ts';
import { runMutants } from './mutants.ts';
import { hasRedisServer } from './redis-server.ts';
import { resultOfSoak } from './soak-result.ts';
import { runSuite, type SuiteResult, summarize } from './suite.ts';

/** These test the store itself, or use no store at all: a second store would not change what they see. */
const needNoSecondStore = [
  'test/unit/**',
  'test/contract/**',
  // These reach the store by the same scripts as the others, over HTTP.
  'test/e2e/**',
  'test/alone/hostile-bodies*',
  'test/fault/cluster*',
  'test/fault/crash-points*',
  'test/fault/drain*',
  'test/fault/every-redis*',
  'test/fault/failover*',
  'test/fault/killed-redis*',
  'test/fault/killed-worker*',
  'test/fault/late-flips*',
  'test/fault/lost-replies*',
  'test/fault/outages*',
  'test/fault/quota*',
  'test/fault/relaunch*',
  'test/fault/sentinel*',
  'test/integration/embedded-store*',
  // This one is about what a provider says.
  'test/model/any-answer*',
  'test/model/exhaustive*',
];

const results: SuiteResult[] = [];
if (hasRedisServer()) {
  const excludes = ['test/long/**', ...needNoSecondStore].map(pattern => `--exclude=${pattern}`);
  results.push(await runSuite('the embedded store', excludes));
} else
  process.stdout.write(
    'redis-server is not on the PATH, so there is no second store to test on (apt-get install redis-server).\n',
  );
results.push(await runSuite('long forms', ['test/long']));

process.stdout.write('\n== soak\n');
if (hasRedisServer()) {
  const soaked = await soak({ minutes: 1, rate: 50, seed: randomInt(1_000_000) });
  process.stdout.write(`${tableOf(soaked)}\n`);
  results.push(resultOfSoak(soaked));
} else process.stdout.write('redis-server is not on the PATH, so there was no soak.\n');

process.stdout.write('\n== mutants\n');
const { caught, survived } = await runMutants();
results.push({
  passed: caught,
  failed: survived.length,
  failures: survived.map(name => `mutant that survived: ${name}`),
  tests: [],
});
summarize(results);
