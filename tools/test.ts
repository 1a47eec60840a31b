// The whole suite once, on one store: a redis-server where one is on the PATH, because it is the faster one, and the
// embedded store elsewhere. `npm run test:all` runs what is left out here. Arguments go to vitest.
import { withRedisServer } from './redis-server.ts';
import { runSuite, summarize } from './suite.ts';

const given = process.argv.slice(2);
const args = given.length > 0 ? given : ['--exclude=test/long/**'];

const result = await withRedisServer(async redis =>
  redis
    ? await runSuite('redis-server', args, { TEST_REDIS_URL: redis.url })
    : await runSuite('the embedded store', args),
);
summarize([result]);
