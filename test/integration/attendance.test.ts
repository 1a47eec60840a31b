import { expect, test } from 'vitest';
import { createProducer } from '../../src/producer/create-producer.ts';
import type { Producer } from '../../src/producer/producer.ts';
import { createFetch } from '../../src/server/create-fetch.ts';
import { scripted, startHarness } from '../support/harness.ts';

/** A job whose callers wait for it in this process. */
async function enqueueAttended(producer: Producer): Promise<string> {
  const caller = { text: JSON.stringify(scripted({ stuck: true })), sharesAccount: false };
  const [result] = await producer.enqueueMany([
    { request: scripted({ stuck: true }), caller: { ...caller, attendedBy: producer.attendance.token } },
  ]);
  return result?.id ?? '';
}

/** As if the process had died, and its lease had run out. */
async function died(producer: Producer, id: string): Promise<void> {
  const lane = await producer.store.laneOf(id);
  await lane.run('attend', { id, by: producer.attendance.token, for_ms: 1 });
}

const env = { HEADSTONE_DISCONNECT_GRACE_MS: '100' };

test('a job is cancelled once nobody in any process waits for it, and not before', async () => {
  const { producer, prefix, redisUrl, configuration } = await startHarness({ env });
  const other = createProducer({ connection: redisUrl, prefix, configuration });
  const id = await enqueueAttended(producer);
  const [first, second] = [producer.attendance.enter(id, undefined), producer.attendance.enter(id, undefined)];
  const elsewhere = other.attendance.enter(id, undefined);
  await other.attendance.join(id);
  first(false);
  second(false);
  const lane = await producer.store.laneOf(id);
  const attending = () => lane.ask(redis => redis.zrange(lane.keys.attending(id), '0', '-1', 'WITHSCORES'));
  // The first process has only the grace left; the other still speaks for its caller.
  await expect
    .poll(async () => Math.min(...(await attending()).filter((_, n) => n % 2).map(Number)))
    .toBeLessThan(lane.now() + 200);
  const guarded = { status: 'cancelled', cause: 'cancelled', only_unattended: true } as const;
  expect((await lane.run('decide', { id, ...guarded })).reply).toBe('attended');
  elsewhere(false);
  await expect.poll(async () => (await producer.get(id))?.status).toBe('cancelled');
  expect(await attending()).toEqual([]);
  await other.close();
});

test('a job is free for an equal create only once nobody waits for it, however long the grace is', async () => {
  const { producer } = await startHarness({ env, workers: 0 });
  const id = await enqueueAttended(producer);
  const lane = await producer.store.laneOf(id);
  const left = () => lane.ask(redis => redis.get(lane.keys.left('equal')));
  const attend = (by: string, for_ms: number, have_left = false) =>
    lane.run('attend', { id, by, for_ms, sent: 'equal', have_left });
  await attend('elsewhere', 30_000);
  await attend('here', 60_000, true);
  expect(await left()).toBeNull();
  await attend('elsewhere', 1, true);
  await attend(producer.attendance.token, 1, true);
  await expect.poll(async () => await attend('here', 60_000, true).then(left)).toBe(id);
});

test('I10: the callers of a process that died have a last call, and then a sweeper cancels their job', async () => {
  const { producer, happened } = await startHarness({ env });
  const id = await enqueueAttended(producer);
  const lane = await producer.store.laneOf(id);
  // A job that nobody ever attended is none of its business.
  const { id: background } = await producer.enqueue(scripted({ stuck: true }, 'Background'));
  const other = await producer.store.laneOf(background);
  expect((await other.run('attend', { id: background, by: 'a caller', for_ms: 1 })).reply).toBe('unattended');
  await died(producer, id);
  const lastCall = () => lane.ask(redis => redis.zscore(lane.keys.lastCalls(), id));
  await expect.poll(lastCall).not.toBeNull();
  // As if the time for it had passed.
  await lane.ask(redis => redis.zadd(lane.keys.lastCalls(), 'XX', '0', id));
  await happened('job_decided', ({ job_id }) => job_id === id);
  expect(await producer.get(id)).toMatchObject({ status: 'cancelled', tombstone: { reason: 'client_disconnected' } });
  expect(await lastCall()).toBeNull();
  expect((await producer.get(background))?.status).not.toBe('cancelled');
});

test('after an outage of Redis, a process that lives says so in time', async () => {
  const { producer } = await startHarness({ env });
  const id = await enqueueAttended(producer);
  const leave = producer.attendance.enter(id, undefined);
  const lane = await producer.store.laneOf(id);
  // As after an outage: nobody has spoken for it in time, and a sweeper was the first to come back.
  await died(producer, id);
  await lane.ask(redis => redis.zadd(lane.keys.attended(), '0', id));
  await expect.poll(() => lane.ask(redis => redis.zscore(lane.keys.lastCalls(), id))).not.toBeNull();
  await expect.poll(() => lane.ask(redis => redis.zscore(lane.keys.lastCalls(), id)), { timeout: 15_000 }).toBeNull();
  expect((await producer.get(id))?.tombstone).toBeNull();
  leave(true);
});

test('a caller who goes while its create is being enqueued leaves the job as any other does', async () => {
  const { producer } = await startHarness({ env });
  const leaving = new AbortController();
  const enqueue = producer.enqueueMany.bind(producer);
  let id = '';
  producer.enqueueMany = async jobs => {
    leaving.abort();
    const results = await enqueue(jobs);
    id = results[0]?.id ?? '';
    return results;
  };
  const asked = createFetch(producer, { upgrade: true })('http://provider/v1/responses', {
    method: 'POST',
    body: JSON.stringify(scripted({ stuck: true })),
    headers: { 'content-type': 'application/json' },
    signal: leaving.signal,
  });
  await expect(asked).rejects.toThrow();
  await expect.poll(async () => id !== '' && (await producer.get(id))?.status, { timeout: 5000 }).toBe('cancelled');
});
