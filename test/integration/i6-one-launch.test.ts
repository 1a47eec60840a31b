import { expect, test } from 'vitest';
import { scripted, startHarness } from '../support/harness.ts';

test('I6: a refused create is tried again, and only the accepted one runs', async () => {
  const { producer, simulatorLedger, happened } = await startHarness();
  const { id } = await producer.enqueue(scripted({ create: 'rate_limit', create_times: 2, retry_after_s: 0.2 }));
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  expect(await happened('launches_held')).toMatchObject({ scope: 'model:gpt-5.5', for_ms: 200 });
  const ledger = await simulatorLedger();
  expect(ledger).toMatchObject({ creates: 3 });
  expect(ledger.responses).toHaveLength(1);
  expect((await producer.get(id))?.launches.map(launch => launch.state)).toEqual([
    'refused',
    'refused',
    'acknowledged',
  ]);
});

test('I6: a job that chose relaunch is launched again after the grace, and not before', async () => {
  const { producer, simulatorLedger } = await startHarness();
  const { id } = await producer.enqueue(scripted({ create: 'truncated', create_times: 1 }), {
    onUnknownLaunch: 'relaunch',
  });
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  const { responses } = await simulatorLedger();
  expect(responses).toHaveLength(2);
  const [first, second] = responses;
  expect((second?.created_at ?? 0) - (first?.created_at ?? 0)).toBeGreaterThanOrEqual(300);
  expect((await producer.get(id))?.launches.map(launch => launch.state)).toEqual(['unknown', 'acknowledged']);
});

test('I6: paid launches are at most `attempts`, and each failed run is waste', async () => {
  const { producer, simulatorLedger, happened } = await startHarness();
  const { id } = await producer.enqueue(scripted({ end: 'failed' }), { attempts: 3 });
  expect(await producer.wait(id)).toMatchObject({ status: 'failed', error: { code: 'server_error' } });
  expect((await simulatorLedger()).responses).toHaveLength(3);
  await happened('tokens_wasted');
  await expect
    .poll(async () => (await producer.waste({ groupBy: 'cause' })).data)
    .toMatchObject([{ key: 'failed', responses: 3 }]);
});

test('I6: a run that was refused by a rate limit after all costs no attempt', async () => {
  const { producer, happened, simulatorLedger } = await startHarness({ env: { HEADSTONE_DEADLINE_MS: '8000' } });
  const { id } = await producer.enqueue(scripted({ end: 'rate_limited' }));
  await happened('run_repeated');
  expect((await producer.get(id))?.outcome).toBeNull();
  await producer.cancel(id);
  expect((await simulatorLedger()).responses.length).toBeGreaterThanOrEqual(1);
});
