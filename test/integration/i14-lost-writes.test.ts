import { expect, inject, onTestFinished, test } from 'vitest';
import { createProducer } from '../../src/producer/create-producer.ts';
import { loadConfiguration } from '../../src/shared/runtime/configuration.ts';
import type { Lane } from '../../src/shared/store/lane.ts';
import type { Work } from '../../src/shared/store/lua/work.ts';
import { scripted, startHarness } from '../support/harness.ts';
import { lanesOfSuite } from '../support/lanes.ts';

test.for(['vanished', 'gone back'] as const)(
  'I14: a store in which an acknowledged write has %s is noticed',
  async how => {
    const { happened, redis, prefix, events } = await startHarness();
    let key = '';
    await expect
      .poll(
        async () => {
          [key = ''] = await redis.keys(`${prefix}:canary:*`);
          return Number(key && (await redis.get(key)));
        },
        { timeout: 10_000 },
      )
      .toBeGreaterThan(1);
    expect(events.map(({ name }) => name)).not.toContain('store_forgot');
    if (how === 'vanished') await redis.del(key);
    else await redis.set(key, '0');
    expect(await happened('store_forgot')).toMatchObject({ found: 0 });
  },
);

test('I14: a cancel is not acknowledged before enough replicas hold it, and a repeat waits again', async () => {
  const { producer } = await startHarness({ workers: 0, env: { HEADSTONE_WAIT_REPLICAS: '1' } });
  const { id } = await producer.enqueue({ model: 'm', input: 'x' });
  const tooFew = { code: 'not_durable', retryable: true, message: expect.stringContaining('only 0 of 1 replicas') };
  await expect(producer.cancel(id)).rejects.toMatchObject(tooFew);
  await expect(producer.cancel(id)).rejects.toMatchObject(tooFew);
  // The job is decided nevertheless. Only the assurance is missing.
  expect((await producer.get(id))?.status).toBe('cancelled');
});

test('I14: a result is not shown before enough replicas hold it; what was refused needs no such assurance', async () => {
  const { producer, happened, prefix } = await startHarness();
  const careful = createProducer({
    connection: inject('redisUrl'),
    configuration: loadConfiguration({ ...lanesOfSuite, HEADSTONE_WAIT_REPLICAS: '1', HEADSTONE_PREFIX: prefix })
      .configuration,
  });
  onTestFinished(() => careful.close());
  const { id } = await producer.enqueue(scripted());
  await happened('job_decided');
  expect(await producer.get(id)).toMatchObject({ status: 'completed' });
  const tooFew = { code: 'not_durable', retryable: true };
  await expect(careful.get(id)).rejects.toMatchObject(tooFew);
  await expect(careful.wait(id)).rejects.toMatchObject(tooFew);
});

test('I10, I14: readers who wait for replicas keep nobody else from the store', async () => {
  const { producer, happened, prefix } = await startHarness();
  const careful = createProducer({
    connection: inject('redisUrl'),
    configuration: loadConfiguration({ ...lanesOfSuite, HEADSTONE_WAIT_REPLICAS: '1', HEADSTONE_PREFIX: prefix })
      .configuration,
  });
  const { id } = await producer.enqueue(scripted({ duration_ms: 300 }));
  const waiting = Array.from({ length: 30 }, () => expect(careful.wait(id)).rejects.toThrow('The job goes on.'));
  await happened('job_decided');
  const other = await producer.enqueue(scripted({ duration_ms: 5000 }));
  for (let round = 0; round < 3; round += 1) {
    const askedAt = performance.now();
    expect(await careful.list()).toHaveLength(2);
    expect(performance.now() - askedAt).toBeLessThan(500);
  }
  const askedAt = performance.now();
  await expect(careful.cancel(other.id)).rejects.toMatchObject({ code: 'not_durable' });
  expect(performance.now() - askedAt).toBeLessThan(3500);
  await careful.close();
  await Promise.all(waiting);
});

test('I1, I14: a bulk cancel is not done before enough replicas hold it, however often it is asked for', async () => {
  const { producer } = await startHarness({ workers: 0, env: { HEADSTONE_WAIT_REPLICAS: '1' } });
  const jobs = Array.from({ length: 60 }, () => ({ request: { model: 'm', input: 'x' }, options: { tags: ['t'] } }));
  await producer.enqueueMany(jobs);
  const { cancellations } = producer;
  const { id } = await cancellations.begin({ tag: 't' });
  for (let time = 0; time < 2; time += 1) {
    await expect(cancellations.run(id)).rejects.toMatchObject({ code: 'not_durable' });
    await expect(cancellations.get(id)).rejects.toMatchObject({ code: 'not_durable' });
    // All of them are cancelled at once. Only the assurance is missing.
    expect((await producer.list({ status: 'cancelled', limit: 100 })).length).toBe(60);
  }
});

test('I9, I10: while replicas are missing, notes wait together, and streams that have ended keep no place', async () => {
  const { producer, redis, prefix, happened } = await startHarness({
    env: { HEADSTONE_WAIT_REPLICAS: '1', HEADSTONE_CONCURRENCY: 'stream=1' },
  });
  const { store } = producer;
  const notify = { queue: 'app', prefix: `${prefix}:app` };
  const streamed = [1, 2].map(n => ({ request: { ...scripted({}, `Prompt ${n}`), stream: true } }));
  const told = Array.from({ length: 20 }, () => ({ request: scripted({ stuck: true }), options: { notify } }));
  const ids = (await producer.enqueueMany([...streamed, ...told])).map(({ id }) => id);
  for (const id of ids.slice(0, 2)) await happened('job_decided', ({ job_id }) => job_id === id);

  const notes = new Map<Lane, Work[]>();
  for (const id of ids.slice(2)) {
    const lane = await store.laneOf(id);
    const reply = await lane.run('decide', { id, status: 'cancelled', cause: 'cancelled' });
    const due = reply.reply === 'decided' ? reply.work.filter(({ queue }) => queue === 'notify') : [];
    notes.set(lane, [...(notes.get(lane) ?? []), ...due]);
  }
  expect([...notes.values()].flat()).toHaveLength(20);
  const askedAt = performance.now();
  const carried = await Promise.allSettled([...notes].map(([lane, own]) => lane.outbox.carryOut(own)));
  for (const { reason } of carried as PromiseRejectedResult[]) expect(reason).toMatchObject({ code: 'not_durable' });
  // They share one wait.
  expect(performance.now() - askedAt).toBeLessThan(6000);
  const outboxes = (await store.allLanes()).map(({ keys }) => keys.outbox());
  const left = await Promise.all(outboxes.map(outbox => redis.zrangebyscore(outbox, Date.now() + 5000, '+inf')));
  expect(left.flat().filter(line => line.startsWith('notify|'))).toHaveLength(20);
});
