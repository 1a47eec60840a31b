import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { expect, onTestFinished, test } from 'vitest';
import { problemOfCallback } from '../../src/shared/runtime/callback-url.ts';
import { send } from '../../src/worker/callbacks/send.ts';
import { startFrontDoor } from '../support/front-door.ts';
import { scripted, startHarness } from '../support/harness.ts';
import { type Heard, startReceiver as listen } from '../support/receiver.ts';

async function startReceiver(...statuses: number[]) {
  const receiver = await listen(...statuses);
  onTestFinished(receiver.close);
  return receiver;
}

test('an outcome is told once, signed, and after a cancel that won it is never “completed” (I1)', async () => {
  const receiver = await startReceiver();
  const { producer, happened } = await startHarness({ env: { HEADSTONE_CALLBACK_HOSTS: receiver.host } });
  const options = { callbackUrl: receiver.url, tenant: 'harbour', tags: ['nightly'] };
  const done = await producer.enqueue(scripted(), options);
  await producer.wait(done.id);
  await happened('callback_delivered', ({ job_id }) => job_id === done.id);
  const [first] = receiver.heard as [Heard];
  const secret = await producer.callbackSecret('harbour');
  expect(new Webhook(secret).verify(first.body, first.headers)).toMatchObject({
    type: 'job.completed',
    data: { id: done.id, status: 'completed', tenant: 'harbour', tags: ['nightly'] },
  });
  expect(first.body).not.toContain('Write about tides');
  // Another tenant's secret signs nothing of this one's.
  const other = await producer.callbackSecret('pier');
  expect(() => new Webhook(other).verify(first.body, first.headers)).toThrow();

  const cancelled = await producer.enqueue(scripted({ duration_ms: 400, flip_after_ms: 0 }, 'Unwanted'), options);
  await happened('launch_acknowledged', ({ job_id }) => job_id === cancelled.id);
  await producer.cancel(cancelled.id, { actor: 'alice' });
  await happened('callback_delivered', ({ job_id, type }) => job_id === cancelled.id && type === 'tokens.wasted');
  const about = receiver.heard.map(({ event }) => event).filter(({ data }) => data.id === cancelled.id);
  expect(about).toMatchObject([
    { type: 'job.cancelled', data: { actor: 'alice' } },
    { type: 'tokens.wasted', data: { cause: 'cancelled', actor: 'alice', status: 'final' } },
  ]);
  expect(Number(about[1]?.data.total_tokens)).toBeGreaterThan(0);
});

test('a receiver that fails, redirects or is away is tried again under the same id, and the timeline says so', async () => {
  const receiver = await startReceiver(500, 302);
  const { producer, happened } = await startHarness({ env: { HEADSTONE_CALLBACK_HOSTS: receiver.host } });
  const { id } = await producer.enqueue(scripted(), { callbackUrl: receiver.url });
  await happened('callback_failed', ({ code }) => code === 'http_500');
  const lane = await producer.store.laneOf(id);
  // The next tries come now instead of in 5 and 30 s.
  const soon = () => lane.queues.ensure({ queue: 'callback', id: `outcome:${id}`, dueAt: 0, priority: 0 }, lane.now());
  await expect.poll(async () => (await soon()).settled && receiver.heard.length).toBe(2);
  await happened('callback_failed', ({ code }) => code === 'http_302');
  await expect.poll(async () => (await soon()).settled && receiver.heard.length).toBe(3);
  await happened('callback_delivered', ({ tries }) => tries === 3);
  expect(new Set(receiver.heard.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  const events = (await producer.get(id))?.timeline.map(({ event }) => event);
  expect(events?.filter(event => event.startsWith('callback'))).toEqual([
    'callback_failed',
    'callback_failed',
    'callback_delivered',
  ]);
});

test('a receiver that speaks slowly holds nothing for longer than ten seconds, nor more than its tenant’s part', async () => {
  const server = createServer((_request, answer) => {
    const slowly = setInterval(() => answer.writeProcessing(), 500);
    answer.on('close', () => clearInterval(slowly));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const receiver = await startReceiver();
  const { producer, happened } = await startHarness({
    env: { HEADSTONE_CALLBACK_HOSTS: `${host},${receiver.host}`, HEADSTONE_CONCURRENCY: 'callback=4' },
  });
  const slow = Array.from({ length: 8 }, (_, n) => ({
    request: scripted({}, `Slow ${n}`),
    options: { callbackUrl: `http://${host}/`, tenant: 'slow' },
  }));
  for (const { id } of await producer.enqueueMany(slow)) await producer.wait(id);
  const { id } = await producer.enqueue(scripted(), { callbackUrl: receiver.url, tenant: 'quick' });
  const askedAt = performance.now();
  await happened('callback_delivered', ({ job_id }) => job_id === id);
  expect(performance.now() - askedAt).toBeLessThan(5000);
  await happened('callback_failed');
});

test('it is sent again by HTTP, and only its tenant and admins may ask', async () => {
  const receiver = await startReceiver(410);
  const apiKeys = ['harbour', 'pier'].map(tenant => ({
    name: tenant,
    key: `key-of-the-${tenant}`,
    tenant,
    admin: false,
  }));
  const { clientOf, server, happened, producer } = await startFrontDoor({
    apiKeys,
    env: { HEADSTONE_CALLBACK_HOSTS: receiver.host },
  });
  const client = clientOf('key-of-the-harbour');
  const create = { ...scripted(), background: true as const, headstone: { callback_url: receiver.url } };
  const { id } = await client.responses.create(create);
  // 410: the receiver wants no more of it.
  await happened('callback_given_up');
  const ask = (key: string, path: string, method = 'POST') =>
    fetch(`${server.url}${path}`, { method, headers: { authorization: `Bearer ${key}` } });
  expect((await ask('key-of-the-pier', `/v1/jobs/${id}/webhook/resend`)).status).toBe(404);
  expect((await ask('key-of-the-harbour', `/v1/jobs/${id}/webhook/resend`)).status).toBe(200);
  await happened('callback_delivered');
  const { secret } = (await (await ask('key-of-the-harbour', '/v1/webhook_secret?tenant=pier', 'GET')).json()) as {
    secret: string;
  };
  expect(secret).toBe(await producer.callbackSecret('harbour'));
  const without = await client.responses.create({ ...scripted({}, 'Silent'), background: true });
  expect(await (await ask('key-of-the-harbour', `/v1/jobs/${without.id}/webhook/resend`)).json()).toMatchObject({
    error: { message: expect.stringContaining('without a callback_url') },
  });
});

const nowhere = [
  'http://example.com/hook',
  'ftp://example.com/hook',
  'https://user:password@example.com/',
  'https://127.0.0.1/',
  'https://2130706433/',
  'https://0x7f.1/',
  'https://0177.0.0.1/',
  'https://10.0.0.1/',
  'https://172.31.255.255/',
  'https://192.168.1.1/',
  'https://169.254.169.254/latest/meta-data',
  'https://100.64.0.1/',
  'https://0.0.0.0/',
  'https://255.255.255.255/',
  'https://[::1]/',
  'https://[::]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::ffff:10.0.0.1]/',
  'https://[64:ff9b::7f00:1]/',
  'https://[2002:7f00:1::]/',
  'https://[fe80::1]/',
  'https://[::7f00:1]/',
  'https://[4000::1]/',
  'https://[fd00::1]/',
  'not a url',
  `https://example.com/${'x'.repeat(2000)}`,
];

test('no callback may lead into the network: refused when the job is enqueued', async () => {
  const { producer } = await startHarness({ workers: 0 });
  for (const callbackUrl of nowhere) {
    expect(problemOfCallback(callbackUrl, []), callbackUrl).not.toBeNull();
    await expect(producer.enqueue(scripted(), { callbackUrl })).rejects.toThrow(/^The callback URL must/);
    await expect(producer.adopt('resp_1', { callbackUrl })).rejects.toThrow(/^The callback URL must/);
  }
  expect(await producer.list()).toEqual([]);
  for (const callbackUrl of ['https://example.com/hook', 'https://93.184.216.34:8443/', 'https://[2606:4700::1111]/'])
    expect(problemOfCallback(callbackUrl, []), callbackUrl).toBeNull();
});

test('nor when it is sent: the name is resolved once, and every address has to be public', async () => {
  const receiver = await startReceiver();
  const port = receiver.host.split(':')[1];
  const message = { headers: {}, body: '{}' };
  for (const addresses of [
    ['127.0.0.1'],
    ['93.184.216.34', '10.0.0.1'],
    ['::1'],
    ['::ffff:127.0.0.1'],
    ['64:ff9b::7f00:1'],
    [],
  ]) {
    const resolve = async () => addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }));
    await expect(send(new URL(`https://rebound.example:${port}/`), message, [], resolve)).rejects.toMatchObject({
      code: 'no_public_address',
    });
  }
  await expect(send(new URL(`https://localhost:${port}/`), message, [])).rejects.toMatchObject({
    code: 'no_public_address',
  });
  // A name that an admin allows is resolved once, too, and the connection goes to the address that was looked at.
  let lookups = 0;
  const resolve = async () => {
    lookups += 1;
    return [{ address: lookups === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }];
  };
  expect(await send(new URL(`http://internal.example:${port}/`), message, [`internal.example:${port}`], resolve)).toBe(
    204,
  );
  expect(lookups).toBe(1);
  expect(receiver.heard).toHaveLength(1);
});
