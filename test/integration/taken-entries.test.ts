import { randomUUID } from 'node:crypto';
import { type Queue, Worker } from 'bullmq';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import type { Lane } from '../../src/shared/store/lane.ts';
import { acceptJob, openStores, redisOf, runJob } from '../support/store.ts';

const LOCK_MS = 30_000;

const take = (store: Lane, lock: string, queue: 'launch' | 'poll' = 'launch') =>
  store.run('take_entry', { queue, lock, lock_ms: LOCK_MS });

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
      for (const act of sequence) {
        if (act.does === 'add') {
          added += 1;
          // A time that has come is written without waiting for it.
          const timestamp = Date.now() - (act.delay === 1 ? 60_000 : 0);
          const options = { jobId: `hs-${added}-x`, delay: act.delay, priority: act.priority, timestamp };
          for (const queue of queues) await queue.add('launch', {}, options);
        } else if (act.does === 'take')
          for (let time = 0; time < act.times; time += 1) {
            taken += 1;
            const reply = await take(ours, `lock-${taken}`);
            const job = await worker.getNextJob(`lock-${taken}`, { block: false });
            expect(reply.reply === 'taken' ? reply.entry : undefined).toBe(job?.id);
          }
        else if (act.does === 'limit') for (const queue of queues) await queue.setGlobalConcurrency(act.active);
        else for (const queue of queues) await queue[act.does]();
        const [mine, other] = await Promise.all([contents(ours), contents(theirs)]);
        // BullMQ wakes another worker after each entry, and ours only if there is something left to take.
        expect({ ...mine, isMarked: true }).toEqual({ ...other, isMarked: true });
        if (mine.waiting.length + mine.prioritized.length > 0 && other.isMarked) expect(mine.isMarked).toBe(true);
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
        const reply = await take(store, lock, 'poll');
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
  const lock = () => randomUUID();
  const first = await store.run('take_entry', { ...limited, lock: lock() });
  const others = await Promise.all(
    [store, other, store, other, store, other].map(one => one.run('take_entry', { ...limited, lock: lock() })),
  );
  const replies = [first, ...others].map(({ reply }) => reply);
  expect(replies.filter(reply => reply === 'taken')).toHaveLength(5);
  expect(others.filter(({ reply }) => reply === 'limited')).toHaveLength(2);
  const refused = others.find(({ reply }) => reply === 'limited') as { for_ms: number };
  expect(refused.for_ms).toBeGreaterThan(50_000);
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
