import { expect, test } from 'vitest';
import { startFrontDoor } from '../support/front-door.ts';
import { scripted } from '../support/harness.ts';
import { startProxy } from '../support/proxy.ts';

const background = { background: true } as const;

test('an unchanged openai client: create, poll loop, result', async () => {
  const { client } = await startFrontDoor();
  const created = await client.responses.create({ ...scripted(), ...background });
  expect(created.status).toBe('queued');
  await expect.poll(async () => (await client.responses.retrieve(created.id)).status).toBe('completed');
  const done = await client.responses.retrieve(created.id);
  expect(done.id).toBe(created.id);
  expect(done.output_text).toContain('Write about tides');
  expect(await client.responses.cancel(created.id)).toMatchObject({ status: 'completed', id: created.id });
});

test('I1: over HTTP, a cancel sticks through the flip, and shows what was billed', async () => {
  const { client, happened, server } = await startFrontDoor();
  const created = await client.responses.create({
    ...scripted({ duration_ms: 300, flip_after_ms: 200 }),
    ...background,
  });
  await happened('launch_acknowledged');
  expect(await client.responses.cancel(created.id)).toMatchObject({ status: 'cancelled', usage: null, output: [] });
  expect(await client.responses.cancel(created.id)).toMatchObject({ status: 'cancelled' });
  const { total_tokens } = await happened('tokens_wasted');
  const reads = await Promise.all(Array.from({ length: 200 }, () => client.responses.retrieve(created.id)));
  for (const read of reads) expect(read).toMatchObject({ status: 'cancelled', output: [], usage: { total_tokens } });
  const job = (await (await fetch(`${server.url}/v1/jobs/${created.id}`)).json()) as object;
  expect(job).toMatchObject({
    id: created.id,
    status: 'cancelled',
    outcome: { status: 'cancelled' },
    tombstone: { cause: 'cancelled' },
    ledger: [{ kind: 'wasted', usage: { total_tokens } }],
  });
  expect(JSON.stringify(job)).not.toContain('Here is what there is to say');
});

test('a cancel takes a reason and an actor', async () => {
  const { server, client } = await startFrontDoor({ workers: 0 });
  const { id } = await client.responses.create({ ...scripted(), ...background });
  const answer = await fetch(`${server.url}/v1/responses/${id}/cancel`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ reason: 'wrong prompt', actor: 'alice' }),
  });
  expect(await answer.json()).toMatchObject({ headstone: { tombstone: { reason: 'wrong prompt', actor: 'alice' } } });
});

test('the same Idempotency-Key is the same job, and another body under it a conflict', async () => {
  const { client } = await startFrontDoor({ workers: 0 });
  const create = (input: string) =>
    client.responses.create({ model: 'm', input, ...background }, { headers: { 'Idempotency-Key': 'once' } });
  expect((await create('a')).id).toBe((await create('a')).id);
  await expect(create('b')).rejects.toMatchObject({ status: 409, code: 'id_conflict' });
});

test('what is not a background response is told so, by the name of the parameter', async () => {
  const { client } = await startFrontDoor({ workers: 0 });
  await expect(client.responses.create({ model: 'm', input: 'x' })).rejects.toMatchObject({
    status: 400,
    code: 'unsupported_parameter',
    param: 'background',
  });
});

test.for([
  ['no model', { input: 'x', ...background }, 400, 'model'],
  ['store: false', { model: 'm', input: 'x', store: false, ...background }, 400, 'store'],
  ['twenty metadata pairs', { model: 'm', input: 'x', ...background, metadata: twenty() }, 400, 'metadata'],
] as const)('bad input: %s is an error in OpenAI’s shape that names the field', async ([, body, status, param]) => {
  const { server } = await startFrontDoor({ workers: 0 });
  const answer = await post(`${server.url}/v1/responses`, JSON.stringify(body));
  expect(answer.status).toBe(status);
  expect(await answer.json()).toMatchObject({ error: { type: 'invalid_request_error', param } });
});

test('bad input: what is not JSON, an unknown id and an unknown URL', async () => {
  const { server, client } = await startFrontDoor({ workers: 0 });
  expect((await post(`${server.url}/v1/responses`, '{"model"')).status).toBe(400);
  await expect(client.responses.retrieve('resp_nobody')).rejects.toMatchObject({ status: 404 });
  await expect(client.responses.cancel('a:b')).rejects.toMatchObject({ status: 404 });
  expect(await (await fetch(`${server.url}/v2`)).json()).toMatchObject({ error: { code: 'unknown_url' } });
});

test('without sign-in, a foreign Host, a foreign page and a proxy are refused', async () => {
  const { server } = await startFrontDoor({ workers: 0 });
  for (const headers of [{ origin: 'https://evil.example' }, { 'x-forwarded-for': '10.0.0.1' }])
    expect((await fetch(`${server.url}/readyz`, { headers })).status).toBe(403);
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
});

function twenty(): Record<string, string> {
  return Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`key-${n}`, 'value']));
}

async function post(url: string, body: string): Promise<Response> {
  return await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
}

test('a create whose fate the store left open is not sent again by the client, unless it names its job', async () => {
  const proxy = await startProxy();
  const { server } = await startFrontDoor({ workers: 0, redisUrl: proxy.redisUrl });
  const create = (headers: Record<string, string> = {}) =>
    fetch(`${server.url}/v1/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ ...scripted(), ...background }),
    });
  expect((await create()).headers.get('x-should-retry')).toBeNull();
  proxy.cut();
  const refused = await create();
  expect(refused.status).toBe(503);
  expect(refused.headers.get('x-should-retry')).toBe('false');
  expect((await create({ 'idempotency-key': 'once' })).headers.get('x-should-retry')).toBe('true');
  proxy.heal();
});
