import { expect, test } from 'vitest';
import { scripted, startHarness } from '../support/harness.ts';

test('ten thousand jobs: no step keeps Redis for 10 ms', async () => {
  const { producer, redis } = await startHarness({ workers: 0 });
  const thousand = Array.from({ length: 1000 }, (_, n) => ({
    request: scripted({}, `Prompt ${n}`),
    options: { tags: ['many'] },
  }));
  for (let batch = 0; batch < 10; batch += 1) await producer.enqueueMany(thousand);
  const { id } = await producer.cancellations.begin({ tag: 'many' });
  await redis.config('SET', 'slowlog-log-slower-than', '10000');
  await redis.slowlog('RESET');
  await producer.cancellations.run(id);
  const slow = ((await redis.slowlog('GET', 128)) as [number, number, number, string[]][]).filter(([, , , command]) =>
    /^eval/i.test(command[0] ?? ''),
  );
  expect((await producer.cancellations.get(id)).cancelled).toBe(10_000);
  // A shared machine delays some of the four hundred steps, and the WebAssembly store more of them than Redis.
  expect(slow.length).toBeLessThan(process.env.TEST_REDIS_URL ? 4 : 12);
});
