// Cancels many queued jobs at once, and reports how long the longest step blocked Redis for other clients.
// `npm run bench:cancellation` uses 100,000 jobs. A test runs it with a few, so that it keeps working.
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { createProducer } from '../src/producer/create-producer.ts';
import { report } from './report.ts';
import { onEachStore } from './stores.ts';

const jobs = Number(process.argv[2] ?? 100_000);
const BATCH = 1000;

await onEachStore(async (store, connection) => {
  const producer = createProducer({ connection, prefix: `{bench-${randomUUID().slice(0, 8)}}` });
  for (let done = 0; done < jobs; done += BATCH) {
    const some = Array.from({ length: Math.min(BATCH, jobs - done) }, (_, n) => ({
      request: { model: 'gpt-5.5', input: `Prompt ${done + n}` },
      options: { tenant: 'harbour', tags: ['bench'] },
    }));
    await producer.enqueueMany(some);
  }

  const redis = new Redis(connection);
  const probe = watch(redis);
  let startedAt = performance.now();
  const estimate = await producer.cancellations.estimate({ tag: 'bench' });
  const took = (from: number) => Math.round(performance.now() - from);
  report({
    store,
    jobs,
    figure: 'estimate',
    counted: estimate.jobs,
    took_ms: took(startedAt),
    ...(await probe.stop()),
  });

  const cancelling = watch(redis);
  startedAt = performance.now();
  const { id } = await producer.cancellations.begin({ tag: 'bench' });
  await producer.cancellations.run(id);
  const { cancelled } = await producer.cancellations.get(id);
  report({ store, jobs, figure: 'cancel all', cancelled, took_ms: took(startedAt), ...(await cancelling.stop()) });
  redis.disconnect();
  await producer.close();
});

/** The slowest scripts in Redis' slow log, and how long another client waits for its answers meanwhile. */
function watch(redis: Redis) {
  const waits: number[] = [];
  let stopped = false;
  const ready = redis
    .config('SET', 'slowlog-log-slower-than', '1000')
    .then(() => redis.slowlog('RESET'))
    .catch(() => {});
  const looking = (async () => {
    await ready;
    while (!stopped) {
      const askedAt = performance.now();
      await redis.time();
      waits.push(performance.now() - askedAt);
      await new Promise(resolve => setTimeout(resolve, 5));
    }
  })();
  return {
    async stop() {
      stopped = true;
      await looking;
      const slow = ((await redis.slowlog('GET', 128).catch(() => [])) as [number, number, number][]).map(
        ([, , micros]) => micros / 1000,
      );
      waits.sort((left, right) => left - right);
      const at = (share: number) => Number((waits[Math.floor(waits.length * share)] ?? 0).toFixed(1));
      return {
        slowest_step_ms: Math.max(0, ...slow),
        others_wait_p50_ms: at(0.5),
        others_wait_p99_ms: at(0.99),
        others_wait_most_ms: at(0.99999),
      };
    },
  };
}
