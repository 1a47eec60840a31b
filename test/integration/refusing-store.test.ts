import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { startChild } from '../../src/cli/children.ts';
import { scripted, startHarness } from '../support/harness.ts';

test('I3, I4: a store that answers and will not write: the id of a launched response is written when it does again', async () => {
  const child = await startChild(['store', '--port', '0']);
  const admin = new Redis(child.address);
  onTestFinished(async () => {
    admin.disconnect();
    await child.stop();
  });
  const { producer, happened, simulatorLedger, events } = await startHarness({ redisUrl: child.address });
  const { id } = await producer.enqueue(scripted({ create_ms: 300 }));
  await happened('launch_intended');
  await admin.config('SET', 'min-replicas-to-write', '1');
  await expect.poll(async () => (await simulatorLedger()).responses.length).toBe(1);
  await expect(producer.cancel('nobody')).rejects.toMatchObject({
    code: 'store_refused',
    retryable: true,
    message: expect.stringContaining('does not write now (NOREPLICAS)'),
  });
  await admin.config('SET', 'min-replicas-to-write', '0');
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  expect((await simulatorLedger()).creates).toBe(1);
  expect(events.map(({ name }) => name)).not.toContain('launch_unrecorded');
});
