import { expect, test } from 'vitest';
import { scripted, startHarness } from '../support/harness.ts';

test('I10: a response that is stuck for ever ends at the job’s deadline, and is cancelled upstream', async () => {
  const { producer, happened, simulatorLedger } = await startHarness();
  const { id } = await producer.enqueue(scripted({ stuck: true }), { deadlineMs: 2500 });
  expect(await producer.wait(id)).toMatchObject({ status: 'expired', tombstone: { cause: 'expired' } });
  await happened('upstream_cancelled');
  expect((await simulatorLedger()).responses[0]?.cancelled_at).not.toBeNull();
  expect(await happened('tokens_wasted')).toMatchObject({ cause: 'expired', status: 'unknown', total_tokens: null });
});

test('I10: a job that never got its turn ends at its deadline, and never reaches the provider', async () => {
  const { producer, simulatorLedger, happened } = await startHarness({ env: { HEADSTONE_MAX_IN_FLIGHT: '1' } });
  await producer.enqueue(scripted({ stuck: true }, 'First'), { deadlineMs: 60_000 });
  await happened('launch_acknowledged');
  const { id } = await producer.enqueue(scripted({}, 'Second'), { deadlineMs: 1500 });
  expect(await producer.wait(id)).toMatchObject({ status: 'expired' });
  expect((await simulatorLedger()).creates).toBe(1);
});

test('I10: a job without a deadline of its own has one of 24 hours', async () => {
  const { producer } = await startHarness({ workers: 0 });
  const { id } = await producer.enqueue(scripted());
  const job = await producer.get(id);
  expect((job?.deadline_at ?? 0) - (job?.created_at ?? 0)).toBe(86_400_000);
});

test.for([
  ['404 at first', { read: 'not_found', read_times: 3 }],
  ['500', { read: 'server_error', read_times: 3 }],
  ['429 with retry-after', { read: 'rate_limit', read_times: 2, retry_after_s: 0.1 }],
  ['a page of HTML', { read: 'html', read_times: 3 }],
  ['JSON cut short', { read: 'malformed', read_times: 3 }],
  ['a status that nobody knows', { read: 'odd_status', read_times: 3 }],
] as const)('I10: reads that answer %s are faults that heal', { timeout: 15_000 }, async ([, script]) => {
  const { producer } = await startHarness();
  const { id } = await producer.enqueue(scripted(script));
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
});

test('I10: a failing upstream cancel is tried again until the upstream has heard it', async () => {
  const { producer, happened, simulatorLedger, events } = await startHarness();
  const { id } = await producer.enqueue(scripted({ duration_ms: 5000, cancel_fails: 1, cancel: 'honour' }));
  await happened('launch_acknowledged');
  await producer.cancel(id);
  await happened('upstream_cancelled');
  expect(events.filter(({ name }) => name === 'upstream_cancel_failed')).toHaveLength(1);
  expect((await simulatorLedger()).responses[0]?.cancelled_at).not.toBeNull();
});
