import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { startChild } from '../../src/cli/processes/children.ts';
import { scripted, startHarness } from '../support/harness.ts';
import { openStores } from '../support/store.ts';

test.for([
  ['NOREPLICAS', 'min-replicas-to-write', '1', '0', 'does not write, because too few of its replicas answer'],
  ['NOAUTH', 'requirepass', 'changed', '', 'does not answer'],
] as const)(
  'I3, I4: a store that answers %s: the id of a launched response is written when it takes it again',
  async ([word, setting, bad, good, sentence]) => {
    const child = await startChild(['store', '--port', '0']);
    const admin = new Redis(child.address);
    onTestFinished(async () => {
      admin.disconnect();
      await child.stop();
    });
    const { producer, happened, simulatorLedger, events } = await startHarness({ redisUrl: child.address });
    const { id } = await producer.enqueue(scripted({ create_ms: 300 }));
    await happened('launch_intended');
    await admin.config('SET', setting, bad);
    // An open connection has already sent its password, and the next one has to send it again.
    if (word === 'NOAUTH') await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await expect.poll(async () => (await simulatorLedger()).responses.length).toBe(1);
    const refusals = async () =>
      Number(new RegExp(`errorstat_${word}:count=(\\d+)`).exec(await admin.info('errorstats'))?.[1] ?? 0);
    const before = await refusals();
    // By then the write of the id has been tried more than once.
    await expect.poll(refusals, { timeout: 20_000 }).toBeGreaterThan(before + 5);
    await expect(producer.cancel('nobody')).rejects.toMatchObject({
      retryable: true,
      message: expect.stringContaining(sentence),
    });
    await admin.config('SET', setting, good);
    const status = async () => (await producer.get(id).catch(() => null))?.status;
    await expect.poll(status, { timeout: 15_000 }).toBe('completed');
    expect((await simulatorLedger()).creates).toBe(1);
    expect(events.map(({ name }) => name)).not.toContain('launch_unrecorded');
  },
);

test('I10: a full store: cancels are written, forgetting goes on, a worker can start, and a probe answers', {
  timeout: 60_000,
}, async () => {
  const child = await startChild(['store', '--port', '0']);
  const admin = new Redis(child.address);
  onTestFinished(async () => {
    admin.disconnect();
    await child.stop();
  });
  const { producer, startWorker, worker, happened, prefixOf } = await startHarness({
    redisUrl: child.address,
  });
  const { id } = await producer.enqueue(scripted({ stuck: true }));
  const running = await producer.enqueue(scripted({ duration_ms: 1500 }, 'Runs through it'));
  await happened('launch_acknowledged', fields => fields.job_id === running.id);
  const { id: ended } = await producer.enqueue(scripted({}, 'Over'));
  await producer.wait(ended);
  // Its deadline passes while the store is full.
  await admin.zadd(`${await prefixOf(ended)}:ended`, Date.now() + 1000, ended);
  await admin.config('SET', 'maxmemory', '1');
  await expect(producer.enqueue(scripted())).rejects.toMatchObject({ code: 'store_refused', retryable: true });
  expect(await producer.cancel(id)).toEqual({ verdict: 'cancelled' });
  await expect.poll(() => producer.get(ended), { timeout: 10_000 }).toBeNull();
  const other = await startWorker();
  expect(await worker.isLively()).toBe(true);
  await other.close();
  await admin.config('SET', 'maxmemory', '0');
  expect(await producer.wait(running.id)).toMatchObject({ status: 'completed' });
  expect(await producer.wait((await producer.enqueue(scripted())).id)).toMatchObject({ status: 'completed' });
});

test('a question within a question is tried again once, and not once more by the outer one', async () => {
  const { store } = await openStores();
  let calls = 0;
  const inner = () =>
    store.ask(async () => {
      calls += 1;
      throw new Error("READONLY You can't write against a read only replica.");
    });
  await expect(store.ask(inner)).rejects.toMatchObject({ code: 'store_refused' });
  expect(calls).toBe(2);
});
