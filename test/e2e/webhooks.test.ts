import { randomBytes, randomUUID } from 'node:crypto';
import { OpenAI } from 'openai';
import { Webhook } from 'standardwebhooks';
import { expect, onTestFinished, test } from 'vitest';
import type { Producer } from '../../src/producer/producer.ts';
import { startServer } from '../../src/server/server.ts';
import { freePort } from '../../tools/redis-server.ts';
import { startFrontDoor } from '../support/front-door.ts';
import { type HarnessOptions, scripted, startHarness } from '../support/harness.ts';

const newSecret = () => `whsec_${randomBytes(24).toString('base64')}`;

/** A deployment whose simulator sends webhooks to its server. Unless a test says so, nobody would poll for a long time. */
async function startWithWebhooks(options: HarnessOptions = {}) {
  const port = await freePort();
  const secret = newSecret();
  const earlier = newSecret();
  const url = `http://127.0.0.1:${port}/webhooks/openai`;
  const harness = await startHarness({
    ...options,
    webhooks: { url, secret },
    env: {
      OPENAI_WEBHOOK_SECRET: `${earlier}, ${secret}`,
      HEADSTONE_POLL_MIN_MS: '20000',
      HEADSTONE_POLL_MAX_MS: '20000',
      HEADSTONE_SETTLE_FIRST_MS: '60000',
      HEADSTONE_SETTLE_WINDOW_MS: '3600000',
      ...options.env,
    },
  });
  const { producer, configuration, telemetry } = harness;
  const server = await startServer({ producer, configuration, telemetry, apiKeys: null, port, insecureListen: false });
  onTestFinished(() => server.close());
  /** Sends a webhook of the test's own. */
  const send = async (
    event: object | string,
    by = secret,
    { id = `wh_${randomUUID()}`, at = new Date(), path = 'openai' } = {},
  ) => {
    const body = typeof event === 'string' ? event : JSON.stringify(event);
    return await fetch(`http://127.0.0.1:${port}/webhooks/${path}`, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
        'webhook-signature': new Webhook(by).sign(id, at, body),
      },
    });
  };
  return { ...harness, server, send, secret, earlier };
}

/** As after a first webhook about a response that is known. */
async function asIfWebhooksArrived({ store: { home } }: Producer): Promise<void> {
  await home.ask(redis => redis.set(home.keys.webhooks(), '1', 'PX', 60_000));
}

test('a webhook brings the look forward: the outcome comes at once, by one poll', async () => {
  const { producer, simulatorLedger } = await startWithWebhooks();
  const { id } = await producer.enqueue(scripted({ duration_ms: 500 }));
  const askedAt = performance.now();
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  expect(performance.now() - askedAt).toBeLessThan(5000);
  expect((await simulatorLedger()).responses[0]?.reads).toBe(1);
});

test('I8: response.completed for a cancelled job is a flip: dropped, counted, and its tokens are booked at once', async () => {
  const { producer, happened, events } = await startWithWebhooks();
  const { id } = await producer.enqueue(scripted({ duration_ms: 800, flip_after_ms: 300 }));
  await happened('launch_acknowledged');
  await producer.cancel(id, { actor: 'alice' });
  await happened('late_result_dropped');
  expect(await happened('tokens_wasted')).toMatchObject({ job_id: id, status: 'final', actor: 'alice' });
  expect((await producer.get(id))?.status).toBe('cancelled');
  expect(events.filter(({ name }) => name === 'late_result_dropped')).toHaveLength(1);
});

test('late, twice and forged: the end is the same, and a forged one does nothing', async () => {
  const { producer, happened, events } = await startWithWebhooks();
  const jobs = await producer.enqueueMany(
    (['late', 'twice', 'once'] as const).map(webhook => ({
      request: scripted({ duration_ms: 300, webhook }, webhook),
    })),
  );
  for (const { id } of jobs) expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  const forged = await producer.enqueue(scripted({ duration_ms: 300, webhook: 'forged' }));
  await happened('webhook_refused');
  expect((await producer.get(forged.id))?.status).toBe('running');
  const twice = events.filter(({ name, fields }) => name === 'webhook_heard' && fields.heard === 'again');
  expect(twice.length).toBeGreaterThanOrEqual(1);
});

test('I3, I4: a webhook of a response whose id was lost leads to its job, or to the waste of one that was cancelled', async () => {
  const { producer, happened, startWorker, send, simulatorLedger } = await startWithWebhooks({ workers: 0 });
  // Where webhooks arrive, a lost id is waited for.
  await asIfWebhooksArrived(producer);
  await startWorker();
  const losing = { create: 'truncated', create_times: 1, duration_ms: 300 } as const;
  const lost = await producer.enqueue(scripted(losing));
  await happened('response_found', ({ job_id }) => job_id === lost.id);
  expect(await producer.wait(lost.id)).toMatchObject({ status: 'completed' });

  const cancelled = await producer.enqueue(scripted({ ...losing, webhook: 'none' }, 'Cancelled'));
  await happened('launch_unknown', ({ job_id }) => job_id === cancelled.id);
  await producer.cancel(cancelled.id, { actor: 'alice' });
  const lostResponse = (await producer.get(lost.id))?.response_id;
  const other = (await simulatorLedger()).responses.find(({ response_id }) => response_id !== lostResponse);
  await send({ type: 'response.completed', data: { id: other?.response_id } });
  expect(await happened('tokens_wasted', ({ job_id }) => job_id === cancelled.id)).toMatchObject({
    cause: 'cancelled',
    actor: 'alice',
    status: 'final',
  });
  expect((await producer.get(cancelled.id))?.status).toBe('cancelled');
});

test('I12: a response of another deployment, or of nobody, is read once and left alone', async () => {
  const { producer, simulator, happened, simulatorLedger, startWorker } = await startWithWebhooks({ workers: 0 });
  await asIfWebhooksArrived(producer);
  await startWorker();
  // A launch that waits for its id, which somebody else's response claims to be.
  const { id } = await producer.enqueue(scripted({ create: 'truncated', create_times: 1, webhook: 'none' }));
  const { epoch } = await happened('launch_unknown');
  const foreign = new OpenAI({ apiKey: 'any', baseURL: simulator.url });
  for (const mark of [{}, { headstone: `another-deployment/${id}/${epoch}` }] as Record<string, string>[])
    await foreign.responses.create({
      model: 'gpt-5.5',
      input: 'Theirs',
      background: true,
      metadata: { ...mark, sim: JSON.stringify({ duration_ms: 200 }) },
    });
  await happened('webhook_heard', ({ heard }) => heard === 'stranger');
  const reads = async () => (await simulatorLedger()).responses.map(row => row.reads);
  await expect.poll(reads, { timeout: 15_000 }).toEqual([0, 1, 1]);
  expect(await producer.ledger()).toEqual([]);
  expect(await producer.get(id)).toMatchObject({ status: 'launching', response_id: null });
});

test('what is signed by either of two secrets is heard; anything else is a 400, and says what to do', async () => {
  const { send, earlier, server } = await startWithWebhooks({ workers: 0 });
  const event = { id: 'evt_1', object: 'event', type: 'response.completed', created_at: 1, data: { id: 'resp_1' } };
  expect((await send(event)).status).toBe(204);
  expect((await send(event, earlier)).status).toBe(204);
  expect((await send(event, earlier, { path: 'azure' })).status).toBe(204);
  const refused = await send(event, newSecret());
  expect(refused.status).toBe(400);
  expect(await refused.text()).toContain('OPENAI_WEBHOOK_SECRET');
  expect((await send(event, undefined, { at: new Date(Date.now() - 3_600_000) })).status).toBe(400);
  expect((await send('[]')).status).toBe(400);
  expect((await send('no JSON')).status).toBe(400);
  expect((await send({ ...event, type: 'batch.completed' })).status).toBe(204);
  expect((await send({ ...event, data: { id: '' } })).status).toBe(204);
  expect((await send('x'.repeat(100_000))).status).toBe(413);
  expect((await fetch(`${server.url}/webhooks/openai`, { method: 'POST', body: '{}' })).status).toBe(400);
  // A tunnel or proxy in front of a server without keys leads to this route and to no other.
  const byProxy = await fetch(`${server.url}/webhooks/openai`, {
    method: 'POST',
    body: '{}',
    headers: { 'x-forwarded-for': '203.0.113.1' },
  });
  expect(byProxy.status).toBe(400);
  const page = await fetch(`${server.url}/v1/jobs`, { headers: { 'x-forwarded-for': '203.0.113.1' } });
  expect(page.status).toBe(403);
});

test('a server without a secret says that webhooks are off, and how they are turned on', async () => {
  const { server } = await startFrontDoor();
  const answer = await fetch(`${server.url}/webhooks/openai`, { method: 'POST', body: '{}' });
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({ error: { message: expect.stringContaining('OPENAI_WEBHOOK_SECRET') } });
});

test('while webhooks arrive, polls are a safety net', async () => {
  const { producer, happened, simulatorLedger, startWorker } = await startWithWebhooks({
    workers: 0,
    env: { HEADSTONE_POLL_MIN_MS: '100', HEADSTONE_POLL_MAX_MS: '400' },
  });
  await asIfWebhooksArrived(producer);
  await startWorker();
  const { id } = await producer.enqueue(scripted({ duration_ms: 1200 }));
  await producer.wait(id);
  // By polling alone it would be about eight.
  expect((await simulatorLedger()).responses[0]?.reads).toBe(1);
  // One that is lost is found by a poll, later.
  const silent = await producer.enqueue(scripted({ duration_ms: 1200, webhook: 'none' }, 'Silent'));
  expect(await producer.wait(silent.id)).toMatchObject({ status: 'completed' });
  await happened('job_decided', ({ job_id }) => job_id === silent.id);
});

test('a hint after the window has ended still books what was unknown', async () => {
  const { producer, happened, send } = await startWithWebhooks({
    env: { HEADSTONE_SETTLE_FIRST_MS: '50', HEADSTONE_SETTLE_WINDOW_MS: '300' },
  });
  const { id } = await producer.enqueue(scripted({ duration_ms: 100, flip_after_ms: 1500, webhook: 'none' }));
  const { response_id } = await happened('launch_acknowledged');
  await producer.cancel(id);
  await happened('tokens_wasted', ({ status }) => status === 'unknown');
  await expect
    .poll(
      async () => {
        await send({ type: 'response.completed', data: { id: response_id } });
        return (await producer.ledger())[0]?.status;
      },
      { timeout: 10_000, interval: 300 },
    )
    .toBe('final');
  await happened('tokens_wasted', ({ status }) => status === 'final');
});
