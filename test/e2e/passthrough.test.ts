import { OpenAI } from 'openai';
import { expect, test } from 'vitest';
import { startFrontDoor } from '../support/front-door.ts';
import { scripted } from '../support/harness.ts';
import { answer, startUpstream } from '../support/upstream.ts';

const keys = { alice: 'key-of-alice-0123456789', bob: 'key-of-bob-0123456789ab', root: 'key-of-root-0123456789a' };
const apiKeys = [
  { name: 'alice', key: keys.alice, tenant: 'harbour', admin: false },
  { name: 'bob', key: keys.bob, tenant: 'museum', admin: false },
  { name: 'root', key: keys.root, tenant: 'harbour', admin: true },
];

interface Passed {
  method: string | undefined;
  url: string | undefined;
  authorization: string | undefined;
  apiKey: unknown;
  cookie: string | undefined;
  body: string;
}

/** A provider that answers everything, and a server that passes other calls on to it. */
async function startPassing(only = apiKeys) {
  const passed: Passed[] = [];
  const upstreamUrl = await startUpstream((request, body, response) => {
    const { authorization, cookie } = request.headers;
    passed.push({
      method: request.method,
      url: request.url,
      authorization,
      apiKey: request.headers['api-key'],
      cookie,
      body,
    });
    answer(response, 200, { id: 'resp_direct', object: 'response', status: 'completed', output: [], data: [] });
  });
  const door = await startFrontDoor({
    workers: 0,
    apiKeys: only,
    env: { HEADSTONE_PASSTHROUGH: '1', OPENAI_API_KEY: 'sk-of-the-provider', OPENAI_BASE_URL: upstreamUrl },
  });
  return { ...door, passed };
}

test('what is not a background response goes on to the provider under our key, and nothing of the caller’s with it', async () => {
  const { clientOf, passed } = await startPassing();
  const client = clientOf(keys.root);
  expect((await client.responses.create({ model: 'm', input: 'Now' })).id).toBe('resp_direct');
  await client.models.list();
  expect(passed).toMatchObject([
    { method: 'POST', url: '/v1/responses', authorization: 'Bearer sk-of-the-provider' },
    { method: 'GET', url: '/v1/models', authorization: 'Bearer sk-of-the-provider' },
  ]);
  expect(JSON.parse(passed[0]?.body ?? '')).toEqual({ model: 'm', input: 'Now' });
  expect(JSON.stringify(passed)).not.toContain(keys.root);
});

test('I12: what tenants share at the provider is for admins, what leaves nothing behind is for all', async () => {
  const { clientOf, passed } = await startPassing();
  const bob = clientOf(keys.bob);
  await bob.embeddings.create({ model: 'm', input: 'x', encoding_format: 'float' });
  await bob.responses.create({ model: 'm', input: 'x', store: false });
  await bob.chat.completions.create({ model: 'm', messages: [] });
  expect(passed).toHaveLength(3);
  for (const call of [
    () => bob.files.list(),
    () => bob.responses.create({ model: 'm', input: 'x' }),
    () => bob.chat.completions.create({ model: 'm', messages: [], store: true }),
    () => bob.get('/responses/../files'),
  ])
    await expect(call()).rejects.toMatchObject({ status: 403, code: 'insufficient_permissions' });
  await expect(bob.responses.retrieve('resp_direct')).rejects.toMatchObject({ status: 404 });
  expect(passed).toHaveLength(3);
  expect((await clientOf(keys.root).responses.retrieve('resp_direct')).status).toBe('completed');
});

test('I1: neither a refused result nor its provider’s id goes through, and a chain is under the provider’s id', async () => {
  const { clientOf, producer, passed } = await startPassing(apiKeys.slice(2));
  const client = clientOf(keys.root);
  const { id } = await producer.enqueue(scripted(), { tenant: 'harbour' });
  await producer.cancel(id);
  await expect(client.responses.create({ model: 'm', input: 'x', previous_response_id: id })).rejects.toMatchObject({
    status: 400,
    param: 'previous_response_id',
  });
  expect((await client.responses.retrieve(id)).status).toBe('cancelled');
  expect(passed).toHaveLength(0);
});

test('I1: a response of ours is not read under the provider’s id', async () => {
  const { producer, passed, clientOf, startWorker, happened } = await startPassing(apiKeys.slice(2));
  await startWorker();
  const { id } = await producer.enqueue(scripted({ duration_ms: 300 }), { tenant: 'harbour' });
  const { response_id } = await happened('launch_acknowledged');
  await producer.cancel(id);
  await expect(clientOf(keys.root).responses.retrieve(response_id)).rejects.toMatchObject({ status: 404 });
  expect(passed).toHaveLength(0);
});

test('a passed call is sent once, a lost provider is a 502, and files go through as they are', async () => {
  let calls = 0;
  const upstreamUrl = await startUpstream((request, body, response) => {
    calls += 1;
    if (request.url?.includes('files')) answer(response, 200, { id: 'file_1', bytes: body.length });
    else response.destroy();
  });
  const { server } = await startFrontDoor({
    workers: 0,
    env: { HEADSTONE_PASSTHROUGH: '1', OPENAI_API_KEY: 'sk-of-the-provider', OPENAI_BASE_URL: upstreamUrl },
  });
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'any', maxRetries: 0 });
  await expect(client.embeddings.create({ model: 'm', input: 'x' })).rejects.toMatchObject({ status: 502 });
  expect(calls).toBe(1);
  const file = new File(['tides and eels'], 'tides.txt');
  expect(await client.files.create({ file, purpose: 'user_data' })).toMatchObject({ id: 'file_1' });
});

test('without HEADSTONE_PASSTHROUGH nothing goes on, and with it the provider’s key is asked for', async () => {
  const { client } = await startFrontDoor({ workers: 0 });
  await expect(client.models.list()).rejects.toMatchObject({ status: 404, code: 'unknown_url' });
  await expect(startFrontDoor({ workers: 0, env: { HEADSTONE_PASSTHROUGH: '1' } })).rejects.toThrow('OPENAI_API_KEY');
});
