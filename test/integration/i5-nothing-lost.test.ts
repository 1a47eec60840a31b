import { Queue, Worker } from 'bullmq';
import { expect, onTestFinished, test, vi } from 'vitest';
import { scripted, startHarness } from '../support/harness.ts';
import { acceptJob } from '../support/store.ts';

test('I5: a job whose queue entry could not be added is found in the outbox and runs', async () => {
  const { producer, happened } = await startHarness();
  const { Queues } = await import('../../src/shared/store/queues.ts');
  const add = vi.spyOn(Queues.prototype, 'ensure').mockRejectedValueOnce(new Error('the process died here'));
  // A script leaves an entry with a priority to the process that called it.
  const { id } = await producer.enqueue(scripted(), { priority: 1 });
  expect(add).toHaveBeenCalled();
  add.mockRestore();
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  expect(await happened('work_recovered')).toMatchObject({ from: 'outbox' });
});

test('I5: jobs whose queues were wiped out are found by the patrol and run', async () => {
  const { producer, redis, prefixOf, startWorker } = await startHarness({ workers: 0 });
  const ids = (
    await producer.enqueueMany(Array.from({ length: 20 }, (_, n) => ({ request: scripted({}, `Prompt ${n}`) })))
  ).map(({ id }) => id);
  for (const queue of producer.queues) await queue.obliterate({ force: true });
  // The patrol comes every ten minutes, which this write makes pass.
  for (const id of ids) await redis.zadd(`${await prefixOf(id)}:open`, 0, id);
  await startWorker();
  for (const id of ids) expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
});

test('I5: an add is ignored by BullMQ for an id that it still keeps, and ensure wakes it all the same', async () => {
  const { producer, happened, redis } = await startHarness();
  const { id } = await producer.enqueue(scripted({ duration_ms: 200, flip_after_ms: 100 }));
  const { response_id } = await happened('launch_acknowledged');
  const { settle } = (await producer.store.laneOf(id)).queues;
  const { keys } = await producer.store.laneOf(id);
  // An entry that is delayed by a day. A second add would leave it there.
  await settle.add('settle', { id: response_id }, { jobId: `hs-${response_id}`, delay: 86_400_000 });
  await producer.cancel(id);
  await happened('tokens_wasted');
  expect(await redis.zscore(keys.unsettled(), response_id)).toBeNull();
});

test('I5, I9: the patrol adds a settle entry that was wiped out, and leaves a parked one its time', async () => {
  const { producer, happened, redis, prefixOf, simulatorLedger } = await startHarness({
    env: { HEADSTONE_SETTLE_FIRST_MS: '3000', HEADSTONE_SETTLE_WINDOW_MS: '60000' },
  });
  const { id } = await producer.enqueue(scripted({ duration_ms: 300, flip_after_ms: 200 }));
  const { response_id } = await happened('launch_acknowledged');
  await producer.cancel(id);
  await happened('upstream_cancelled');
  const prefix = await prefixOf(id);
  const { settle } = (await producer.store.laneOf(id)).queues;
  const parked = () => settle.getJobState(`hs-${response_id}`);
  await expect.poll(parked).toBe('delayed');
  const patrolled = async () => {
    await redis.zadd(`${prefix}:unsettled`, 0, response_id);
    await expect.poll(() => redis.zscore(`${prefix}:unsettled`, response_id), { timeout: 10_000 }).not.toBe('0');
  };
  const dueAt = await redis.zscore(`${prefix}:settle:delayed`, `hs-${response_id}`);
  const { reads } = (await simulatorLedger()).responses[0] ?? { reads: -1 };
  await patrolled();
  expect(await redis.zscore(`${prefix}:settle:delayed`, `hs-${response_id}`)).toBe(dueAt);
  expect((await simulatorLedger()).responses[0]?.reads).toBe(reads);
  await settle.obliterate({ force: true });
  await patrolled();
  expect(await happened('tokens_wasted')).toMatchObject({ response_id, status: 'final' });
});

test('I5: an id that is used again after its record was forgotten is launched, and the app hears of it', async () => {
  const { producer, redisUrl, prefix, simulatorLedger } = await startHarness({
    env: { HEADSTONE_RECORD_TTL_MS: '300' },
  });
  const { hostname: host, port } = new URL(redisUrl);
  const app = new Queue('app', { connection: { host, port: Number(port) }, prefix: `${prefix}:app` });
  const told: string[] = [];
  const reader = new Worker<{ status: string }>(
    'app',
    async job => {
      told.push(job.data.status);
    },
    { connection: { host, port: Number(port) }, prefix: `${prefix}:app` },
  );
  onTestFinished(async () => {
    await reader.close();
    await app.close();
  });
  const notify = { queue: 'app', prefix: `${prefix}:app` };
  await producer.enqueue(scripted(), { id: 'nightly', notify });
  await producer.wait('nightly');
  await expect.poll(() => told).toEqual(['completed']);
  await expect.poll(async () => await producer.get('nightly'), { timeout: 10_000 }).toBeNull();
  await producer.enqueue(scripted({}, 'Another prompt'), { id: 'nightly', notify });
  expect(await producer.wait('nightly')).toMatchObject({ status: 'completed' });
  expect((await simulatorLedger()).creates).toBe(2);
  await expect.poll(() => told, { timeout: 10_000 }).toEqual(['completed', 'completed']);
});

test('I5: a launch that waits behind thousands of lines of the outbox begins within 15 s', {
  timeout: 60_000,
}, async () => {
  const { producer, startWorker, happened } = await startHarness({ workers: 0 });
  const { home } = producer.store;
  await producer.ready();
  const at = home.now() - 20_000;
  for (let thousand = 0; thousand < 12; thousand += 1) {
    const lines = Array.from({ length: 1000 }, (_, n) => [at, `notify|gone-${thousand}-${n}|${at}|0`]);
    await home.ask(redis => redis.zadd(home.keys.outbox(), ...lines.flat()));
  }
  // A script leaves an entry with a priority to the process that called it, which died.
  await acceptJob(home, 'urgent', { priority: 5 });
  const startedAt = performance.now();
  await startWorker();
  await happened('launch_intended', ({ job_id }) => job_id === 'urgent');
  expect(performance.now() - startedAt).toBeLessThan(15_000);
});
