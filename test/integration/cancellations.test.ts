import { expect, test } from 'vitest';
import { Cancellations } from '../../src/producer/cancellations.ts';
import { abandonedCancellations } from '../../src/shared/store/run-cancellation.ts';
import { scripted, startHarness } from '../support/harness.ts';

const queued = (count: number, options: object = {}, model = 'gpt-5.5') =>
  Array.from({ length: count }, (_, n) => ({ request: { ...scripted({}, `Prompt ${n}`), model }, options }));

test('I1, I2: cancels what matches and nothing else, counts each job once, and names who and why', async () => {
  const { producer } = await startHarness({ workers: 0 });
  await producer.enqueueMany(queued(60, { tenant: 'harbour', tags: ['nightly', 'big'] }));
  await producer.enqueueMany(queued(40, { tenant: 'harbour' }));
  await producer.enqueueMany(queued(30, { tenant: 'museum', tags: ['nightly'] }, 'o3'));
  const { cancellations } = producer;
  const begun = await cancellations.begin(
    { tenant: 'harbour', tag: 'nightly' },
    { reason: 'withdrawn', actor: 'alice' },
  );
  expect(begun).toMatchObject({ status: 'running', expected: 60, cancelled: 0 });
  // Two processes work on it at once and do not disturb each other.
  await Promise.all([cancellations.run(begun.id), cancellations.run(begun.id)]);
  expect(await cancellations.get(begun.id)).toMatchObject({ status: 'done', cancelled: 60 });
  const cancelled = await producer.list({ status: 'cancelled', limit: 1000 });
  expect(cancelled).toHaveLength(60);
  for (const job of cancelled) {
    expect(job.tags).toContain('big');
    expect(job.tombstone).toMatchObject({ cause: 'cancelled', reason: 'withdrawn', actor: 'alice' });
  }
  // A second cancellation finds nothing left.
  const again = await cancellations.begin({ tenant: 'harbour', tag: 'nightly' });
  await cancellations.run(again.id);
  expect(await cancellations.get(again.id)).toMatchObject({ status: 'done', expected: 0, cancelled: 0 });
});

test.for([
  ['by model', { model: 'o3' }, 3],
  ['by status', { status: 'queued' as const }, 8],
  ['of a status that no job has', { status: 'running' as const }, 0],
  ['by name', { ids: ['first', 'second', 'of-nobody'] }, 2],
  ['everything', { all: true as const }, 8],
  ['older than an hour', { older_than_ms: 3_600_000 }, 0],
  ['newer than an hour', { newer_than_ms: 3_600_000 }, 8],
])('%s', async ([, filter, expected]) => {
  const { producer } = await startHarness({ workers: 0 });
  await producer.enqueueMany(queued(3));
  await producer.enqueueMany(queued(3, {}, 'o3'));
  await producer.enqueue(scripted(), { id: 'first' });
  await producer.enqueue(scripted(), { id: 'second' });
  const { cancellations } = producer;
  const estimate = await cancellations.estimate(filter as { all: true });
  expect(estimate.jobs).toBe(expected);
  const { id } = await cancellations.begin(filter as { all: true });
  await producer.enqueue(scripted(), { id: 'after-it-began' });
  await cancellations.run(id);
  expect((await cancellations.get(id)).cancelled).toBe(expected);
  expect((await producer.get('after-it-began'))?.status).toBe('queued');
});

test('a launched job among them is followed like any other cancelled one', async () => {
  const { producer, happened } = await startHarness();
  const { id: jobId } = await producer.enqueue(scripted({ duration_ms: 400, flip_after_ms: 100 }), { tags: ['some'] });
  await happened('launch_acknowledged');
  const { id } = await producer.cancellations.begin({ tag: 'some' });
  await producer.cancellations.run(id);
  await happened('tokens_wasted', ({ job_id }) => job_id === jobId);
  expect(await producer.get(jobId)).toMatchObject({
    status: 'cancelled',
    ledger: [{ kind: 'wasted', cause: 'cancelled' }],
  });
});

test('the estimate goes by what each model’s responses cost, and says what it does not know', async () => {
  const { producer, worker } = await startHarness();
  const { id } = await producer.enqueue(scripted());
  await producer.wait(id);
  const unpriced = await producer.enqueue({ ...scripted(), model: 'deployment-without-price' });
  await producer.wait(unpriced.id);
  const rows = await producer.ledger();
  const [row, other] = [id, unpriced.id].map(one => rows.find(({ job_id }) => job_id === one));
  await worker.close();
  await producer.enqueueMany(queued(10));
  await producer.enqueueMany(queued(5, {}, 'acme-deployment'));
  await producer.enqueueMany(queued(3, {}, 'deployment-without-price'));
  const { jobs, by_model, by_status, estimate } = await producer.cancellations.estimate({ all: true });
  expect({ jobs, by_model, by_status }).toEqual({
    jobs: 18,
    by_model: { 'gpt-5.5': 10, 'acme-deployment': 5, 'deployment-without-price': 3 },
    by_status: { queued: 18 },
  });
  const tokens = 10 * (row?.usage?.total_tokens ?? 0) + 3 * (other?.usage?.total_tokens ?? 0);
  expect(estimate).toMatchObject({ tokens, spared_tokens: tokens, jobs_without_average: 5, jobs_without_price: 3 });
  expect(estimate.spared_without_cost).toBe(8);
  expect(estimate.cost_usd_micros).toBe(10 * (row?.cost_usd_micros ?? 0));
  expect(estimate.note).toContain('estimate');
});

test('one that is stopped leaves the rest alone, and goes no further', async () => {
  const { producer } = await startHarness({ workers: 0 });
  await producer.enqueueMany(queued(100));
  const { cancellations } = producer;
  const { id } = await cancellations.begin({ all: true });
  await producer.store.home.run('advance_cancellation', { id, limit: 10, keep_ms: 60_000 });
  expect(await cancellations.stop(id)).toMatchObject({ status: 'stopped', cancelled: 10 });
  await cancellations.run(id);
  expect(await cancellations.get(id)).toMatchObject({ status: 'stopped', cancelled: 10 });
  expect(await producer.list({ status: 'queued', limit: 1000 })).toHaveLength(90);
});

test('another process goes on where one ended', async () => {
  const { producer, telemetry } = await startHarness({ workers: 0 });
  await producer.enqueueMany(queued(100));
  const { id } = await producer.cancellations.begin({ all: true });
  const signal = AbortSignal.abort();
  await expect(producer.cancellations.run(id, signal)).rejects.toThrow();
  const other = new Cancellations(producer.store, telemetry);
  const abandoned = async (quietMs: number) => {
    const lanes = await producer.store.allLanes();
    return [...new Set((await Promise.all(lanes.map(lane => abandonedCancellations(lane, quietMs)))).flat())];
  };
  expect(await abandoned(60_000)).toEqual([]);
  expect(await abandoned(0)).toEqual([id]);
  await other.run(id);
  expect(await abandoned(0)).toEqual([]);
  expect((await other.get(id)).cancelled).toBe(100);
});

test('what is wrong is said: an empty filter, a status that has ended, an id used for another filter', async () => {
  const { producer } = await startHarness({ workers: 0 });
  const { cancellations } = producer;
  await expect(cancellations.begin({})).rejects.toThrow('or all: true');
  await expect(cancellations.begin({ status: 'completed' as 'queued' })).rejects.toThrow('a job that has ended');
  await cancellations.begin({ all: true }, { id: 'mine' });
  expect((await cancellations.begin({ all: true }, { id: 'mine' })).id).toBe('mine');
  await expect(cancellations.begin({ tag: 'other' }, { id: 'mine' })).rejects.toMatchObject({ code: 'id_conflict' });
  await expect(cancellations.get('nobody')).rejects.toMatchObject({ code: 'cancellation_not_found' });
});
