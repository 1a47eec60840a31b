import { request as httpRequest } from 'node:http';
import { expect, test } from 'vitest';
import { startFrontDoor } from '../support/front-door.ts';
import { scripted } from '../support/harness.ts';

const background = { background: true } as const;

/** Sends the path unchanged, which fetch would normalize. */
async function rawStatus(url: string, method: string, path: string, headers: Record<string, string> = {}) {
  const { hostname, port } = new URL(url);
  return await new Promise<{ status: number; location: string; body: string }>((resolve, reject) => {
    const call = httpRequest({ hostname, port, method, path, headers }, answer => {
      let body = '';
      answer.on('data', chunk => {
        body += chunk;
      });
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, location: answer.headers.location ?? '', body }),
      );
    });
    call.on('error', reject).end();
  });
}

test('I1: no spelling of a path leads around our routes to what a cancel has refused', async () => {
  const { client, happened, simulator } = await startFrontDoor();
  const { id } = await client.responses.create({
    ...scripted({ duration_ms: 300, flip_after_ms: 100 }),
    ...background,
  });
  const { response_id } = await happened('launch_acknowledged');
  await client.responses.cancel(id);
  await happened('tokens_wasted');
  const passing = await startFrontDoor({
    workers: 0,
    env: { HEADSTONE_PASSTHROUGH: '1', OPENAI_API_KEY: 'simulated', OPENAI_BASE_URL: simulator.url },
  });
  for (const path of [
    `/v1/./responses/${response_id}`,
    `/v1/%2e/responses/${response_id}`,
    `/v1/responses/./${response_id}`,
    `/v1//responses/${response_id}`,
    `/v1/responses/${response_id}/`,
    `/v1/responses/%2e%2f${response_id}`,
    `/v1/Responses/${response_id}`,
    `/v1/models/..%2Fresponses%2F${response_id}`,
    `/v1/models/../responses/${response_id}`,
    `/openai/v1/./responses/${response_id}`,
  ]) {
    const { status, body } = await rawStatus(passing.server.url, 'GET', path);
    expect(body, path).not.toContain('Here is what there is to say');
    expect(status, path).not.toBe(200);
  }
  expect((await rawStatus(passing.server.url, 'GET', '/v1/models?x=%zz')).status).toBe(404);
  expect((await rawStatus(passing.server.url, 'GET', '/v1/responses/%zz')).body).toContain('unknown_url');
});

test('I1, I3: half an emoji in a reason, a tag and a tenant keeps no cancel from holding', async () => {
  const { producer, client } = await startFrontDoor();
  const { id } = await producer.enqueue(scripted({ stuck: true }), { tags: ['\ud83d'], tenant: 'x\ud83d' });
  expect((await producer.cancel(id, { reason: 'oops \ud83d', actor: '\udc00' })).verdict).toBe('cancelled');
  expect((await client.responses.retrieve(id)).status).toBe('cancelled');
  expect((await producer.get(id))?.tombstone?.reason).toBe('oops \ufffd');
  const { cancelled } = await producer.cancellations.begin({ tag: '\ufffd' }, { reason: '\ud83d' });
  expect(cancelled).toBe(0);
});

test.for([
  ['a bound that no run can reach', { model: 'acme', max_output_tokens: 1e16 }],
  ['a model called constructor', { model: 'constructor' }],
  ['a tier called constructor', { model: 'gpt-5.5', service_tier: 'constructor', max_output_tokens: 10 }],
  ['a bound below nothing', { model: 'gpt-5.5', max_output_tokens: -5 }],
] as const)('I3, I4: %s loses no response and hides no row', async ([, extra]) => {
  const { producer, client, happened, server } = await startFrontDoor();
  const wish = { ...scripted({ duration_ms: 500, flip_after_ms: 100 }), ...extra };
  const { id } = await producer.enqueue(wish);
  await happened('launch_acknowledged');
  expect(await client.responses.cancel(id)).toMatchObject({ status: 'cancelled' });
  await happened('tokens_wasted');
  expect((await fetch(`${server.url}/v1/ledger`)).status).toBe(200);
  expect((await producer.ledger())[0]).toMatchObject({ kind: 'wasted', status: 'final' });
  const { by_model } = await producer.cancellations.estimate({ all: true });
  expect(by_model).toEqual({});
});

test('I13: a model’s name is short, because it stands in every line', async () => {
  const { client } = await startFrontDoor({ workers: 0 });
  const create = client.responses.create({ model: 'm'.repeat(300), input: 'x', ...background });
  await expect(create).rejects.toMatchObject({ status: 400, param: 'model' });
});

test('a page to go on to is one of ours', async () => {
  const key = 'key-of-root-0123456789a';
  const apiKeys = [{ name: 'root', key, tenant: 'harbour', admin: true }];
  const { server } = await startFrontDoor({ workers: 0, apiKeys });
  const signIn = async (next: string) => {
    const body = new URLSearchParams({ key, next });
    const answer = await fetch(`${server.url}/sign-in`, { method: 'POST', body, redirect: 'manual' });
    return answer.headers.get('location');
  };
  for (const next of ['/\t/evil.example/x', '//evil.example', '/\\evil.example', 'https://evil.example', 'jobs:x'])
    expect(await signIn(next), next).toBe('/');
  expect(await signIn('/jobs/€?tag=a')).toBe('/jobs/%E2%82%AC?tag=a');
});

test('a chain is answered under the id that its caller knows', async () => {
  const { client, happened } = await startFrontDoor();
  const first = await client.responses.create({ ...scripted(), ...background });
  await happened('job_decided', ({ job_id }) => job_id === first.id);
  const next = await client.responses.create({ ...scripted(), ...background, previous_response_id: first.id });
  expect(next.previous_response_id).toBe(first.id);
  await happened('job_decided', ({ job_id }) => job_id === next.id);
  expect((await client.responses.retrieve(next.id)).previous_response_id).toBe(first.id);
  await client.responses.delete(first.id);
  const again = client.responses.create({ ...scripted(), ...background, previous_response_id: first.id });
  await expect(again).rejects.toMatchObject({ status: 400, param: 'previous_response_id' });
});

test('I6: a re-send of a new request is not answered with an old job that its client has read', async () => {
  const { server, client } = await startFrontDoor({ workers: 0 });
  const send = async (count: number) => {
    const answer = await fetch(`${server.url}/v1/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-stainless-retry-count': String(count) },
      body: JSON.stringify({ ...scripted(), ...background }),
    });
    return ((await answer.json()) as { id: string }).id;
  };
  const old = await send(0);
  await client.responses.cancel(old);
  const fresh = await send(1);
  expect(fresh).not.toBe(old);
  expect(await send(2)).toBe(fresh);
});

test('I12: keys have names of their own, and an unsigned proxy is noticed by any of its headers', async () => {
  const { server } = await startFrontDoor({ workers: 0 });
  for (const headers of [{ via: '1.1 proxy' }, { 'x-forwarded-proto': 'https' }])
    expect((await fetch(`${server.url}/readyz`, { headers })).status).toBe(403);
  expect((await fetch(`${server.url}/v1/jobs?tag=a?b`)).status).toBe(200);
});
