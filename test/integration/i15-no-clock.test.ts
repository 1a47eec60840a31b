import { afterEach, expect, test, vi } from 'vitest';
import { scripted, startHarness } from '../support/harness.ts';
import { acceptJob, observed, openStores, runJob } from '../support/store.ts';

const HOUR_MS = 3_600_000;
const realNow = Date.now;

afterEach(() => {
  vi.restoreAllMocks();
});

test.for([-5, 5])(
  'I15: in a pod whose clock is %i hours off, nothing is decided too early and nothing is late',
  async hours => {
    const { producer, happened, events } = await startHarness();
    vi.spyOn(Date, 'now').mockImplementation(() => realNow() + hours * HOUR_MS);
    const done = await producer.enqueue(scripted({ duration_ms: 300 }), { deadlineMs: HOUR_MS });
    expect(await producer.wait(done.id)).toMatchObject({ status: 'completed' });
    const cancelled = await producer.enqueue(scripted({ duration_ms: 200, flip_after_ms: 100 }), {
      deadlineMs: HOUR_MS,
    });
    await happened('launch_acknowledged', fields => fields.job_id === cancelled.id);
    expect(await producer.cancel(cancelled.id)).toEqual({ verdict: 'cancelled' });
    expect(await happened('tokens_wasted', fields => fields.job_id === cancelled.id)).toMatchObject({
      status: 'final',
    });
    expect(events.filter(({ name, fields }) => name === 'job_decided' && fields.outcome === 'expired')).toEqual([]);
  },
);

test('I15: a clock that jumps forward in the middle of a run expires nothing', async () => {
  const { producer, happened } = await startHarness();
  const { id } = await producer.enqueue(scripted({ duration_ms: 600 }), { deadlineMs: HOUR_MS });
  await happened('launch_acknowledged');
  vi.spyOn(Date, 'now').mockImplementation(() => realNow() + 5 * HOUR_MS);
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
});

test('I15: an expiry, a grace and a window that a wrong clock calls over are refused by the store', async () => {
  const { store } = await openStores();
  await acceptJob(store, 'job', { deadline_ms: HOUR_MS, on_unknown: 'relaunch' });
  expect(await store.run('decide', { id: 'job', status: 'expired', cause: 'expired' })).toMatchObject({
    reply: 'early',
  });
  const intent = await store.run('intend', { id: 'job', token: 't', max_in_flight: 10 });
  const epoch = intent.reply === 'intended' ? intent.epoch : 0;
  await store.run('resolve', { id: 'job', epoch, how: 'unknown', code: 'timeout', grace_ms: HOUR_MS, witnessed: true });
  expect(
    await store.run('rerun', { id: 'job', epoch, code: 'launch_unknown', due_in_ms: 0, grace_ms: HOUR_MS }),
  ).toMatchObject({ reply: 'early' });
  await runJob(store, 'other', 'resp_1');
  await store.run('decide', { id: 'other', status: 'cancelled', cause: 'cancelled' });
  expect(
    await store.run('charge', { response_id: 'resp_1', observation: observed('cancelled'), window_ms: HOUR_MS }),
  ).toMatchObject({
    status: 'pending',
  });
});
