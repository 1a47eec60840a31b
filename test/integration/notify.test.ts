import { Queue } from 'bullmq';
import { expect, onTestFinished, test } from 'vitest';
import { scripted, startHarness } from '../support/harness.ts';

function appQueue(redisUrl: string, prefix: string): Queue {
  const { hostname, port } = new URL(redisUrl);
  const connection = { host: hostname, port: Number(port) };
  const queue = new Queue('app', { connection, prefix, streams: { events: { maxLen: 123 } } });
  queue.on('error', () => {});
  onTestFinished(() => queue.close());
  return queue;
}

test('I1, I5: each outcome adds one job to the app’s own queue, on its own prefix, and what it says is the record’s', async () => {
  const { producer, redisUrl, redis, prefix, happened } = await startHarness();
  const app = appQueue(redisUrl, `${prefix}:app`);
  const keptEvents = () => redis.hget(`${prefix}:app:app:meta`, 'opts.maxLenEvents');
  await expect.poll(keptEvents).toBe('123');
  const notify = { queue: 'app', name: 'response-ended', prefix: `${prefix}:app` };
  const done = await producer.enqueue(scripted(), { notify });
  const refused = await producer.enqueue(scripted({ duration_ms: 400, flip_after_ms: 100 }), { notify });
  await happened('launch_acknowledged', ({ job_id }) => job_id === refused.id);
  await producer.cancel(refused.id);
  await happened('tokens_wasted');
  await producer.wait(done.id);
  const found = async () => (await app.getJobs(['waiting'])).map(({ id, name, data }) => ({ id, name, data }));
  await expect.poll(async () => (await found()).length).toBe(2);
  expect(await found()).toEqual(
    expect.arrayContaining([
      { id: `headstone-${done.id}`, name: 'response-ended', data: { id: done.id, status: 'completed' } },
      { id: `headstone-${refused.id}`, name: 'response-ended', data: { id: refused.id, status: 'cancelled' } },
    ]),
  );
  // The queue keeps the options that the app has set.
  expect(await keptEvents()).toBe('123');
});

test('I5: a note that could not be sent is found in the outbox, and one that was sent twice is one job', async () => {
  const { producer, redisUrl, redis, prefix, prefixOf, startWorker } = await startHarness({ workers: 0 });
  const app = appQueue(redisUrl, `${prefix}:app`);
  const { id } = await producer.enqueue(scripted(), { notify: { queue: 'app', prefix: `${prefix}:app` } });
  const outbox = `${await prefixOf(id)}:outbox`;
  // Only the script runs, as if its process had died before it could notify anybody.
  await producer.store.run('decide', { id, status: 'cancelled', cause: 'cancelled' });
  expect(await app.count()).toBe(0);
  const [line] = (await redis.zrange(outbox, '0', '-1')).filter(entry => entry.startsWith('notify|'));
  await startWorker();
  await expect.poll(() => app.count(), { timeout: 10_000 }).toBe(1);
  await redis.zadd(outbox, 0, line ?? '');
  await expect.poll(() => redis.zscore(outbox, line ?? ''), { timeout: 10_000 }).toBeNull();
  expect(await app.count()).toBe(1);
});

test('I10: a queue of the app’s that refuses its note delays no other job', async () => {
  const { producer, redis, prefix, prefixOf } = await startHarness();
  // BullMQ's key for the queue is not a hash here, so every add is refused.
  await redis.set(`${prefix}:app:app:meta`, 'taken by somebody else');
  const { id } = await producer.enqueue(scripted(), { notify: { queue: 'app', prefix: `${prefix}:app` } });
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  const line = async () =>
    (await redis.zrange(`${await prefixOf(id)}:outbox`, '0', '-1', 'WITHSCORES')).filter((_, index, all) =>
      all[index - (index % 2)]?.startsWith('notify|'),
    );
  await expect.poll(async () => Number((await line())[1]) - Date.now(), { timeout: 10_000 }).toBeGreaterThan(10_000);
});
