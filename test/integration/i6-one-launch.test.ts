import { expect, onTestFinished, test } from 'vitest';
import { startLife } from '../model/life.ts';
import { scripted, startHarness } from '../support/harness.ts';
import { acceptJob, intendJob, openStores } from '../support/store.ts';

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

test('I6: a worker that was frozen between the permission and the create sends none, and the job goes back to its queue', async () => {
  const { producer, oversleep, tick, simulatorLedger, close } = await startLife();
  onTestFinished(close);
  const { id } = await producer.enqueue(scripted());
  await oversleep(id);
  expect((await simulatorLedger()).creates).toBe(0);
  expect(await producer.get(id)).toMatchObject({
    status: 'queued',
    launches: [{ state: 'refused', code: 'worker_was_away' }],
  });
  // The next worker sends one.
  await tick(id);
  expect((await simulatorLedger()).creates).toBe(1);
  expect((await producer.get(id))?.status).toBe('running');
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
  await happened('job_rerun');
  expect((await producer.get(id))?.outcome).toBeNull();
  await producer.cancel(id);
  expect((await simulatorLedger()).responses.length).toBeGreaterThanOrEqual(1);
});

test('I6: the same question of the same activation gets the same intent, another one’s none', async () => {
  const { store } = await openStores();
  await acceptJob(store, 'job');
  const ask = (token: string) => store.run('intend', { id: 'job', token, max_in_flight: 10 });
  const first = await ask('mine');
  // The answer was lost on its way, and the connection sent the script again.
  expect(await ask('mine')).toEqual(first);
  expect(await ask('another’s')).toMatchObject({ reply: 'unresolved', state: 'intended' });
});

test('I6, I10: a launch whose worker left no lock behind is called unknown, also while the launch queue is paused', async () => {
  const { producer, happened } = await startHarness();
  const id = 'job';
  const store = await producer.store.laneOf(id);
  await acceptJob(store, id);
  await intendJob(store, id);
  await producer.pauseLaunch(true);
  expect(await happened('launch_unknown')).toMatchObject({ job_id: id, code: 'worker_lost' });
  expect(await producer.wait(id)).toMatchObject({ status: 'failed', error: { code: 'launch_unknown' } });
});
