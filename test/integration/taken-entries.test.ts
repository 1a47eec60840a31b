import { randomUUID } from 'node:crypto';
import { type Queue, Worker } from 'bullmq';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { startChild } from '../../src/cli/processes/children.ts';
import type { Lane } from '../../src/shared/store/lane.ts';
import { startHarness } from '../support/harness.ts';
import { acceptJob, openStores, redisOf, runJob } from '../support/store.ts';

const LOCK_MS = 30_000;

const take = (store: Lane, lock: string) => store.run('take_launch', { queue: 'launch', lock, lock_ms: LOCK_MS });
const takePoll = (store: Lane, lock: string) => store.run('take_entry', { queue: 'poll', lock, lock_ms: LOCK_MS });

/** Makes calls that leave in one command, because another one is the first of their turn. */
async function inOneCommand<Reply>(store: Lane, calls: () => Promise<Reply>[]): Promise<Reply[]> {
  const first = store.run('hint', { response_id: 'nobody', message_id: 'none' });
  const replies = await Promise.all(calls());
  await first;
  return replies;
}

/** Two lanes with the same queues. BullMQ's own script takes from one of them. */
async function twins() {
  const { store: ours } = await openStores();
  const { store: theirs } = await openStores();
  const options = { connection: redisOf(theirs), prefix: theirs.keys.prefix, skipVersionCheck: true };
  const worker = new Worker('launch', null, { ...options, autorun: false, lockDuration: LOCK_MS });
  onTestFinished(() => worker.close());
  return { ours, theirs, worker };
}

/** What a queue keeps, without what depends on the moment and what nothing reads. */
async function contents(store: Lane) {
  const { launch } = store.queues;
  const redis = redisOf(store);
  const [waiting, active, prioritized, delayed, markers] = await Promise.all([
    redis.lrange(launch.toKey('wait'), 0, -1),
    redis.lrange(launch.toKey('active'), 0, -1),
    redis.zrange(launch.toKey('prioritized'), '0', '-1', 'WITHSCORES'),
    redis.zrange(launch.toKey('delayed'), '0', '-1'),
    redis.zrange(launch.toKey('marker'), '0', '-1'),
  ]);
  const locks = await Promise.all(active.map(entry => redis.get(`${launch.toKey(entry)}:lock`)));
  return { waiting, active, prioritized, delayed, isMarked: markers.includes('0'), locks };
}

const acts = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        does: fc.constant('add' as const),
        // Its time has come at once, or does not come.
        delay: fc.constantFrom(0, 0, 0, 1, 3_600_000),
        priority: fc.constantFrom(0, 0, 0, 1, 5),
      }),
    },
    { weight: 5, arbitrary: fc.record({ does: fc.constant('take' as const), times: fc.integer({ min: 1, max: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('pause' as const, 'resume' as const) }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('rate' as const), most: fc.integer({ min: 1, max: 4 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({ does: fc.constant('limit' as const), active: fc.integer({ min: 1, max: 4 }) }),
    },
  ),
  { minLength: 3, maxLength: 14 },
);

test('I5: our script takes the entries that BullMQ would take, and leaves the queue as BullMQ would', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(acts, async sequence => {
      const { ours, theirs, worker } = await twins();
      const queues: Queue[] = [ours.queues.launch, theirs.queues.launch];
      let added = 0;
      let taken = 0;
      const takeAlike = async (times: number) => {
        const locks = Array.from({ length: times }, (_, n) => `lock-${taken + n}`);
        taken += times;
        const replies = await inOneCommand(ours, () => locks.map(lock => take(ours, lock)));
        for (const [position, lock] of locks.entries()) {
          const reply = replies[position];
          // A worker that was told of a rate limit does not ask Redis until it is over.
          Object.assign(worker, { limitUntil: 0 });
          const job = await worker.getNextJob(lock, { block: false });
          expect(reply?.reply === 'taken' ? reply.entry : undefined).toBe(job?.id);
        }
      };
      for (const act of sequence) {
        if (act.does === 'add') {
          added += 1;
          // A time that has come is written without waiting for it.
          const timestamp = Date.now() - (act.delay === 1 ? 60_000 : 0);
          const options = { jobId: `hs-${added}-x`, delay: act.delay, priority: act.priority, timestamp };
          for (const queue of queues) await queue.add('launch', {}, options);
        } else if (act.does === 'take') await takeAlike(act.times);
        else if (act.does === 'rate') for (const queue of queues) await queue.setGlobalRateLimit(act.most, 3_600_000);
        else if (act.does === 'limit') for (const queue of queues) await queue.setGlobalConcurrency(act.active);
        else for (const queue of queues) await queue[act.does]();
        const [mine, other] = await Promise.all([contents(ours), contents(theirs)]);
        // BullMQ wakes another worker after each entry, and ours only if there is something left to take.
        expect({ ...mine, isMarked: true }).toEqual({ ...other, isMarked: true });
        // With a limit of active entries, whoever ends one takes the next.
        const mayBeTaken =
          mine.waiting.length + mine.prioritized.length > 0 && !sequence.some(({ does }) => does === 'limit');
        if (mayBeTaken && other.isMarked) expect(mine.isMarked).toBe(true);
      }
    }),
    { numRuns: 40 },
  );
});

test('entries that are taken in one turn are different ones, in their order, and the next time is told', async () => {
  const { store } = await openStores();
  for (const id of ['one', 'two', 'three']) await acceptJob(store, id);
  const replies = await Promise.all(['a', 'b', 'c', 'd'].map(lock => take(store, lock)));
  expect(replies).toMatchObject([
    { reply: 'taken', entry: 'hs-one' },
    { reply: 'taken', entry: 'hs-two' },
    { reply: 'taken', entry: 'hs-three' },
    { reply: 'none' },
  ]);
  const due = Date.now() + 60_000;
  await store.queues.launch.add('launch', {}, { jobId: 'hs-later', delay: 60_000 });
  const none = await take(store, 'e');
  expect(none).toMatchObject({ reply: 'none' });
  expect((none as { at: number }).at).toBeGreaterThanOrEqual(due);
});

test('the entry of a poll comes with its job’s record, whatever its id has in it', async () => {
  const { store } = await openStores();
  for (const id of ['plain', 'ä%41 b:c.d', '42']) await runJob(store, id, `resp_${id}`);
  const seen: (string | undefined)[] = [];
  for (const lock of ['a', 'b', 'c']) {
    await expect
      .poll(async () => {
        const reply = await takePoll(store, lock);
        if (reply.reply === 'taken') seen.push(reply.record?.response_id);
        return reply.reply;
      })
      .toBe('taken');
  }
  expect(seen.sort()).toEqual(['resp_42', 'resp_plain', 'resp_ä%41 b:c.d']);
});

test('a limit of entries a second holds over all workers, also for those that ask in one turn', async () => {
  const { store, other } = await openStores();
  for (let number = 0; number < 8; number += 1) await acceptJob(store, `job-${number}`);
  const limited = { queue: 'launch', lock_ms: LOCK_MS, most: 5, in_ms: 60_000 } as const;
  const takeFrom = (one: Lane) => one.run('take_launch', { ...limited, lock: randomUUID() });
  const replies = await inOneCommand(store, () => Array.from({ length: 7 }, () => takeFrom(store)));
  expect(replies.filter(({ reply }) => reply === 'taken')).toHaveLength(5);
  const refused = replies.filter(({ reply }) => reply === 'limited') as { for_ms: number }[];
  expect(refused).toHaveLength(2);
  expect(refused[0]?.for_ms).toBeGreaterThan(50_000);
  expect(await takeFrom(other)).toMatchObject({ reply: 'limited' });
});

test('I7: only the worker whose lock it is parks an entry, and parking it again changes nothing', async () => {
  const { store } = await openStores();
  const { launch } = store.queues;
  await acceptJob(store, 'job');
  await take(store, 'mine');
  const park = (lock: string) =>
    store.run('park_entry', { queue: 'launch', entry: 'hs-job', lock, due_in_ms: 3_600_000 });
  expect(await park('another')).toEqual({ reply: 'gone' });
  expect(await launch.getJobState('hs-job')).toBe('active');
  expect(await park('mine')).toEqual({ reply: 'parked' });
  expect(await launch.getJobState('hs-job')).toBe('delayed');
  expect(await store.queues.isLocked('launch', 'job')).toBe(false);
  expect(await park('mine')).toEqual({ reply: 'gone' });
  expect(await launch.getJobCounts()).toMatchObject({ active: 0, delayed: 1, waiting: 0 });
  // BullMQ can still bring it forward, as a click on its board does.
  await (await launch.getJob('hs-job'))?.promote();
  expect(await take(store, 'later')).toMatchObject({ reply: 'taken', entry: 'hs-job' });
});

test('I10: a full Redis still gives out polls and parks them, and no launches', async () => {
  const child = await startChild(['store', '--port', '0']);
  const admin = new Redis(child.address);
  onTestFinished(async () => {
    admin.disconnect();
    await child.stop();
  });
  const { producer } = await startHarness({ redisUrl: child.address, workers: 0 });
  const store = producer.store.home;
  await runJob(store, 'running', 'resp_1');
  await acceptJob(store, 'waiting');
  await admin.config('SET', 'maxmemory', '1');
  await expect.poll(async () => (await takePoll(store, 'mine')).reply).toBe('taken');
  expect(
    await store.run('park_entry', { queue: 'poll', entry: 'hs-running', lock: 'mine', due_in_ms: 3_600_000 }),
  ).toEqual({ reply: 'parked' });
  await expect(take(store, 'yours')).rejects.toMatchObject({ code: 'store_refused', retryable: true });
  await admin.config('SET', 'maxmemory', '0');
  expect(await take(store, 'yours')).toMatchObject({ reply: 'taken' });
});

test('a worker that has no slot left does not keep the time of the next entry to itself', async () => {
  const { store } = await openStores();
  const { launch } = store.queues;
  await acceptJob(store, 'now');
  const due = Date.now() + 60_000;
  await launch.add('launch', {}, { jobId: 'hs-later', delay: 60_000 });
  // A worker that waited has taken the markers.
  await redisOf(store).del(launch.toKey('marker'));
  expect(await take(store, 'mine')).toMatchObject({ reply: 'taken', entry: 'hs-now' });
  const [member, score] = await redisOf(store).zrange(launch.toKey('marker'), '0', '-1', 'WITHSCORES');
  expect(member).toBe('1');
  expect(Math.abs(Number(score) - due)).toBeLessThan(1000);
});

test('BullMQ knows when an entry was taken, because it renews the lock by that', async () => {
  const { store } = await openStores();
  await acceptJob(store, 'job');
  const before = Date.now();
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const options = { autorun: false, lockDuration: LOCK_MS, stalledInterval: LOCK_MS };
  const worker = store.queues.consume('launch', async ({ processedOn }) => resolve(processedOn), options);
  onTestFinished(() => worker.close());
  await store.queues.doorbell.open();
  void worker.run();
  expect(await promise).toBeGreaterThanOrEqual(before);
});
