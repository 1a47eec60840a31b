import { expect, test } from 'vitest';
import { scripted, startHarness } from '../support/harness.ts';

test('pause launch: nothing new is spent, not even by what a worker has taken already; what runs goes on', async () => {
  const { producer, happened, simulatorLedger } = await startHarness({ env: { HEADSTONE_MAX_IN_FLIGHT: '1' } });
  const active = async () => {
    const counts = producer.store.lanes.map(({ queues }) => queues.launch.getActiveCount());
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  };
  const running = await producer.enqueue(scripted({ duration_ms: 800 }));
  await happened('launch_acknowledged');
  const [first, second] = await producer.enqueueMany([{ request: scripted() }, { request: scripted() }]);
  // A worker has taken both and waits with them, because the limit is reached.
  await expect.poll(active).toBe(2);
  await producer.pauseLaunch(true);
  expect(await producer.wait(running.id)).toMatchObject({ status: 'completed' });
  await expect.poll(active, { timeout: 5000 }).toBe(0);
  expect((await simulatorLedger()).creates).toBe(1);
  expect(await producer.depths()).toMatchObject({ launch_paused: true, launch_waiting: 2 });
  expect((await producer.cancel(second?.id ?? '')).verdict).toBe('cancelled');
  await producer.pauseLaunch(false);
  expect(await producer.wait(first?.id ?? '')).toMatchObject({ status: 'completed' });
  expect((await simulatorLedger()).creates).toBe(2);
});
