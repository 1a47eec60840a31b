import { expect, test } from 'vitest';
import { audit } from '../../src/cli/reports/audit.ts';
import { createProducer } from '../../src/producer/create-producer.ts';
import type { Job } from '../../src/shared/contract/job.ts';
import { scripted, startHarness } from '../support/harness.ts';
import { startProxy } from '../support/proxy.ts';

test('I3, I10: the store is away while a response is launched: its id is written when it is back', {
  timeout: 60_000,
}, async () => {
  const proxy = await startProxy();
  const { producer, simulatorLedger, happened } = await startHarness({ redisUrl: proxy.redisUrl });
  const { id } = await producer.enqueue(scripted({ create_ms: 400, duration_ms: 300 }));
  await happened('launch_intended');
  await expect.poll(async () => (await simulatorLedger()).creates).toBe(1);
  proxy.cut();
  await expect.poll(async () => (await simulatorLedger()).responses.length).toBe(1);
  await happened('store_lost');
  await expect(producer.get(id)).rejects.toMatchObject({ code: 'store_unreachable', retryable: true });
  proxy.heal();
  await expect
    .poll(() => producer.wait(id).catch(() => null), { timeout: 20_000 })
    .toMatchObject({ status: 'completed' });
  const books = {
    jobs: [(await producer.get(id)) as Job],
    rows: await producer.ledger(),
    simulator: await simulatorLedger(),
  };
  expect(audit(books)).toEqual([]);
  expect(books.simulator.creates).toBe(1);
});

test('I10: a store that falls silent, without a word of a closed connection, is waited for', {
  timeout: 60_000,
}, async () => {
  const proxy = await startProxy();
  const { producer, happened, simulatorLedger } = await startHarness({ redisUrl: proxy.redisUrl });
  const { id } = await producer.enqueue(scripted({ duration_ms: 1000 }));
  await happened('launch_acknowledged');
  proxy.freeze();
  // A caller gets an error within seconds and does not hang.
  await expect(producer.get(id)).rejects.toMatchObject({ code: 'store_unreachable' });
  proxy.heal();
  await expect
    .poll(() => producer.wait(id).catch(() => null), { timeout: 30_000 })
    .toMatchObject({ status: 'completed' });
  expect((await simulatorLedger()).creates).toBe(1);
});

test('a store that is not there is named in a sentence that says what to do', async () => {
  const away = createProducer({ connection: 'redis://127.0.0.1:1', prefix: '{x}' });
  await expect(away.ready()).rejects.toMatchObject({
    code: 'store_unreachable',
    message: expect.stringMatching(
      /^Redis at 127\.0\.0\.1:1 does not answer \(ECONNREFUSED\)\. Start it, or point REDIS_URL/,
    ),
  });
  await away.close();
});

test.for(['cut', 'freeze'] as const)(
  'I3: a worker that has to end while its wire is lost (%s) tells the id that it holds',
  {
    timeout: 60_000,
  },
  async how => {
    const proxy = await startProxy();
    const { producer, worker, events, happened, simulatorLedger } = await startHarness({ redisUrl: proxy.redisUrl });
    const { id } = await producer.enqueue(scripted({ create_ms: 500 }));
    await happened('launch_intended');
    await expect.poll(async () => (await simulatorLedger()).creates).toBe(1);
    proxy[how]();
    await worker.close();
    const [response] = (await simulatorLedger()).responses;
    const names = events.map(({ name }) => name);
    expect(names.slice(names.indexOf('launch_unrecorded'))).toContain('process_stopped');
    expect(await happened('launch_unrecorded')).toMatchObject({ job_id: id, response_id: response?.response_id });
    proxy.heal();
  },
);
