import { Worker } from 'bullmq';
import { expect, onTestFinished, test } from 'vitest';
import type { Lane } from '../../src/shared/store/lane.ts';
import type { QueueName } from '../../src/shared/store/lua/work.ts';
import { acceptJob, intendJob, observed, openStores, redisOf } from '../support/store.ts';

/** Takes the entries of a queue as a worker does. Returns the lock. */
function taker(store: Lane, queue: QueueName): (lock: string) => Promise<string> {
  const { prefix } = store.queues[queue].opts;
  const worker = new Worker(queue, null, {
    connection: redisOf(store),
    prefix,
    skipVersionCheck: true,
    autorun: false,
  });
  onTestFinished(() => worker.close());
  return async lock => {
    expect(await worker.getNextJob(lock, { block: false })).toBeDefined();
    return lock;
  };
}

async function acknowledge(store: Lane, id: string, lock: string, epoch: number) {
  const given = {
    id,
    epoch,
    response_id: `resp_${id}`,
    first_poll_ms: 0,
    observation: observed('queued'),
    launch_lock: lock,
  };
  return await store.run('acknowledge', given);
}

test('I5: the step that records a response ends the launch’s entry, and the step that decides ends the poll’s', async () => {
  const { store } = await openStores();
  const { launch, poll } = store.queues;
  await acceptJob(store, 'job');
  const launching = await taker(store, 'launch')('mine');
  const epoch = await intendJob(store, 'job');
  expect(await launch.getJobCountByTypes('active')).toBe(1);

  expect(await acknowledge(store, 'job', launching, epoch)).toMatchObject({ reply: 'running', entry_ended: true });
  expect(await launch.getJobCounts()).toMatchObject({ active: 0, completed: 1, waiting: 0 });
  expect(await store.queues.isLocked('launch', 'job')).toBe(false);
  const shown = await launch.getJob('hs-job');
  expect(shown).toMatchObject({ returnvalue: 'acknowledged resp_job', attemptsMade: 1 });
  expect(shown?.finishedOn).toBeGreaterThan(0);

  const polling = await taker(store, 'poll')('mine');
  const decision = { status: 'completed', response_id: 'resp_job', has_result: true } as const;
  const given = { id: 'job', ...decision, observation: observed('completed', 50), poll_lock: polling };
  expect(await store.run('decide', given, '{}')).toMatchObject({ reply: 'decided', entry_ended: true });
  expect(await poll.getJobCounts()).toMatchObject({ active: 0, completed: 0, delayed: 0, waiting: 0 });
  expect(await poll.getJobState('hs-job')).toBe('unknown');
  expect(await store.queues.isLocked('poll', 'job')).toBe(false);
});

test('I7: a worker whose lock is gone ends nothing, and neither does a decision that came too late', async () => {
  const { store } = await openStores();
  const { launch, poll } = store.queues;
  await acceptJob(store, 'job');
  const launching = await taker(store, 'launch')('mine');
  const epoch = await intendJob(store, 'job');
  // Its lock has run out, and another worker has the entry.
  await redisOf(store).set(`${launch.toKey('hs-job')}:lock`, 'another');
  // The worker has to know, because an entry that it took for ended would stay active until its lock runs out.
  expect(await acknowledge(store, 'job', launching, epoch)).toEqual({ reply: 'running', work: [] });
  expect(await launch.getJobState('hs-job')).toBe('active');
  expect(await store.queues.isLocked('launch', 'job')).toBe(true);

  const polling = await taker(store, 'poll')('mine');
  await store.run('decide', { id: 'job', status: 'cancelled', cause: 'cancelled' });
  const late = { id: 'job', status: 'completed', response_id: 'resp_job', has_result: true } as const;
  const given = { ...late, observation: observed('completed', 50), poll_lock: polling };
  expect(await store.run('decide', given, '{}')).toMatchObject({ reply: 'already' });
  // The worker has yet to book what it saw, so the entry is still its own.
  expect(await poll.getJobState('hs-job')).toBe('active');
});

test('I7: an answer that is recorded again does not end the entry of a later launch', async () => {
  const { store } = await openStores();
  await acceptJob(store, 'job');
  const launching = await taker(store, 'launch')('mine');
  const epoch = await intendJob(store, 'job');
  await acknowledge(store, 'job', launching, epoch);
  // The answer was lost, so the worker says it again. Meanwhile it has taken the same entry once more, with the same token.
  const lock = `${store.queues.launch.toKey('hs-job')}:lock`;
  await redisOf(store).set(lock, 'mine');
  expect(await acknowledge(store, 'job', launching, epoch)).toEqual({ reply: 'running', work: [] });
  expect(await redisOf(store).get(lock)).toBe('mine');
});

test('I9: finished launches and BullMQ’s events stay few, and old ones leave', async () => {
  const { store } = await openStores();
  const redis = redisOf(store);
  const { launch } = store.queues;
  const ids = Array.from({ length: 1150 }, (_, number) => `job_${number}`);
  const take = taker(store, 'launch');
  for (const id of ids) {
    await acceptJob(store, id);
    await acknowledge(store, id, await take('mine'), await intendJob(store, id));
  }
  const kept = await launch.getJobCountByTypes('completed');
  expect(kept).toBeGreaterThanOrEqual(1000);
  expect(kept).toBeLessThan(1100);
  const entries = async () => (await redis.keys(`${launch.toKey('')}hs-*`)).length;
  expect(await entries()).toBe(kept);

  await store.queues.tidy();
  // Redis removes events in whole nodes of a hundred.
  expect(await redis.xlen(launch.toKey('events'))).toBeLessThanOrEqual(200);
  expect(await entries()).toBe(kept);
  const anHourAgo = Date.now() - 3_601_000;
  for (const id of await launch.getRanges(['completed'], 0, 9))
    await redis
      .multi()
      .zadd(launch.toKey('completed'), anHourAgo, id)
      .hset(launch.toKey(id), 'finishedOn', anHourAgo)
      .exec();
  await store.queues.tidy();
  expect(await entries()).toBe(kept - 10);
});
