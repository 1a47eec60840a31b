import { expect, test } from 'vitest';
import { startFrontDoor } from '../support/front-door.ts';
import { rawLines, rawRequest } from '../support/raw-http.ts';
import { redisOf } from '../support/store.ts';
import { answer, startUpstream } from '../support/upstream.ts';

const keys = { alice: 'key-of-alice-0123456789', bob: 'key-of-bob-0123456789ab', root: 'key-of-root-0123456789a' };
const apiKeys = [
  { name: 'alice', key: keys.alice, tenant: 'harbour', admin: false },
  { name: 'bob', key: keys.bob, tenant: 'museum', admin: false },
  { name: 'root', key: keys.root, tenant: 'operators', admin: true },
];

interface Passed {
  url: string | undefined;
  headers: Record<string, unknown>;
  body: string;
}

/** A provider that answers what the test says, and a server that passes calls on to it. */
async function startPassing(basePath = '/v1', answerHeaders: Record<string, string> = {}, text?: string) {
  const passed: Passed[] = [];
  const upstreamUrl = await startUpstream(({ url, headers }, body, response) => {
    passed.push({ url, headers, body });
    if (text === undefined) return answer(response, 200, { id: 'resp_direct', object: 'response' }, answerHeaders);
    response.writeHead(200, answerHeaders).end(text);
  });
  const base = upstreamUrl.replace(/\/v1$/, basePath);
  const door = await startFrontDoor({
    workers: 0,
    apiKeys,
    env: { HEADSTONE_PASSTHROUGH: '1', OPENAI_API_KEY: 'sk-of-the-provider', OPENAI_BASE_URL: base },
  });
  const ask = async (
    key: string,
    method: string,
    path: string,
    body?: string,
    headers: Record<string, string> = {},
  ) => {
    const reply = await fetch(`${door.server.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
      ...(body === undefined ? {} : { body }),
    });
    return { status: reply.status, headers: reply.headers, body: await reply.text() };
  };
  return { ...door, passed, ask };
}

test('what is passed on is what was judged: a URL is decoded once, whatever the base URL looks like', async () => {
  const { server, passed } = await startPassing('');
  const bearer = { authorization: `Bearer ${keys.root}` };
  for (const path of ['/v%31/models', '/%76%31/models', '/v1/%6dodels']) {
    expect((await rawRequest(server.url, 'GET', path, bearer)).status, path).toBe(200);
    expect(passed.at(-1)?.url, path).toBe('/models');
  }
  const before = passed.length;
  for (const path of [
    '/v1%2fmodels',
    '/V1/models',
    '/v1',
    '/v11/models',
    '//v1/models',
    '@x/v1',
    '/v1/v1/responses/resp_1',
    '/v1/x/Responses/resp_1',
    '/openai/openai/v1/responses/resp_1',
  ])
    expect((await rawRequest(server.url, 'GET', path, bearer)).status, path).not.toBe(200);
  expect(passed).toHaveLength(before);
});

test('only the headers on a list go to the provider, and only those on another come back', async () => {
  const { ask, passed } = await startPassing('/v1', {
    'set-cookie': 'a=b',
    'content-security-policy': 'default-src *',
    'access-control-allow-origin': '*',
    'x-powered-by': 'x',
    link: '<https://evil.example>',
    'retry-after': '7',
    'x-ratelimit-remaining-requests': '3',
  });
  const { headers } = await ask(keys.root, 'GET', '/v1/models', undefined, {
    cookie: 'headstone_session=x',
    'openai-organization': 'org_other',
    'x-forwarded-for': '10.1.1.1',
    'x-api-key': 'mine',
    referer: 'http://inside.example',
    'openai-beta': 'assistants=v2',
    'x-stainless-lang': 'js',
  });
  expect(passed[0]?.headers).toMatchObject({
    authorization: 'Bearer sk-of-the-provider',
    'openai-beta': 'assistants=v2',
    'x-stainless-lang': 'js',
  });
  for (const name of ['cookie', 'openai-organization', 'x-forwarded-for', 'x-api-key', 'referer', 'origin'])
    expect(passed[0]?.headers[name], name).toBeUndefined();
  expect(headers.get('retry-after')).toBe('7');
  expect(headers.get('x-ratelimit-remaining-requests')).toBe('3');
  for (const name of ['set-cookie', 'access-control-allow-origin', 'x-powered-by', 'link'])
    expect(headers.get(name), name).toBeNull();
  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(headers.get('x-content-type-options')).toBe('nosniff');
});

test.for(['text/html', 'TEXT/HTML; charset=utf-8', 'application/xhtml+xml', 'image/svg+xml', 'text/javascript', ''])(
  'a page of the provider’s (%s) is never one under our address',
  async type => {
    const { ask } = await startPassing('/v1', type === '' ? {} : { 'content-type': type }, '<script>alert(1)</script>');
    const { headers } = await ask(keys.root, 'GET', '/v1/models');
    expect(headers.get('content-type')).toBe('application/octet-stream');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  },
);

test.for([
  ['a stored create', '/v1/responses', { store: true }],
  ['a create stored by another type', '/v1/responses', { store: 'false' }],
  ['a conversation', '/v1/responses', { store: false, conversation: 'conv_1' }],
  ['a conversation as an object', '/v1/responses', { store: false, conversation: { id: 'conv_1' } }],
  ['a stored prompt', '/v1/responses', { store: false, prompt: { id: 'pmpt_1' } }],
  ['a reference to an item', '/v1/responses', { store: false, input: [{ type: 'item_reference', id: 'msg_1' }] }],
  ['a predecessor of nobody', '/v1/responses', { store: false, previous_response_id: 'resp_of_bob' }],
  ['a predecessor in a list', '/v1/responses', { store: false, previous_response_id: ['resp_of_bob'] }],
  [
    'a file',
    '/v1/responses',
    { store: false, input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'f' }] }] },
  ],
  ['a vector store', '/v1/responses', { store: false, tools: [{ type: 'file_search', vector_store_ids: ['vs_1'] }] }],
  ['a container', '/v1/responses', { store: false, tools: [{ type: 'code_interpreter', container: 'cntr_1' }] }],
  ['a field that nobody has thought about', '/v1/responses', { store: false, recall_everything: true }],
  ['a name of ours', '/v1/responses', { store: false, headstone_predecessor: 'resp_1' }],
  ['our mark', '/v1/responses', { store: false, metadata: { headstone: 'a/b/1' } }],
  ['a stored chat', '/v1/chat/completions', { messages: [], store: 'yes' }],
  [
    'a file in a chat',
    '/v1/chat/completions',
    { messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'f' } }] }] },
  ],
  ['a file for a picture', '/v1/images/edits', { prompt: 'x', images: [{ file_id: 'f' }] }],
] as const)('I12: of a shared account a tenant gets no %s', async ([, path, body]) => {
  const { ask, passed } = await startPassing();
  const { status } = await ask(keys.alice, 'POST', path, JSON.stringify({ model: 'm', input: 'x', ...body }));
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(404);
  expect(passed).toEqual([]);
});

test('I12: a tenant’s chat is sent unstored, and otherwise to the letter', async () => {
  const { ask, passed } = await startPassing();
  const body = '{"model":"m","seed":9223372036854775807,"temperature":1.0,"messages":[]}';
  expect((await ask(keys.alice, 'POST', '/v1/chat/completions', body)).status).toBe(200);
  expect(passed[0]?.body).toBe(
    '{"model":"m","seed":9223372036854775807,"temperature":1.0,"messages":[],"store":false}',
  );
  expect((await ask(keys.root, 'POST', '/v1/chat/completions', body)).status).toBe(200);
  expect(passed[1]?.body).toBe(body);
});

test('a server without keys refuses what no client on its machine sends, and says what to set', async () => {
  const { server } = await startFrontDoor({ workers: 0 });
  const host = `Host: ${new URL(server.url).host}`;
  expect(await rawLines(server.url, ['GET /v1/jobs HTTP/1.1', host])).toMatch(/^HTTP\/1.1 200/);
  for (const lines of [
    ['GET /v1/jobs HTTP/1.0', host],
    ['GET /v1/jobs HTTP/1.1', host, 'CF-Connecting-IP: 10.1.1.1'],
    ['GET /v1/jobs HTTP/1.1', host, 'True-Client-IP: 10.1.1.1'],
    ['GET /v1/jobs HTTP/1.1', host, 'X-Real-IP: 10.1.1.1'],
    ['GET /v1/jobs HTTP/1.1', host, 'X-Amzn-Trace-Id: x'],
    ['GET /v1/jobs HTTP/1.1', host, 'Fly-Client-IP: 10.1.1.1'],
    ['GET /v1/jobs HTTP/1.1', host, 'X-Envoy-External-Address: 10.1.1.1'],
    ['GET /v1/jobs HTTP/1.1', host, 'Host: evil.example'],
    ['GET /v1/jobs HTTP/1.1', 'Host: evil.example'],
    [`GET ${server.url}/v1/jobs HTTP/1.1`, host],
    ['GET http://evil.example/v1/jobs HTTP/1.1', host],
  ]) {
    const heard = await rawLines(server.url, lines);
    expect(heard, lines.join(' | ')).toMatch(/^HTTP\/1.1 40[034]/);
    expect(heard, lines.join(' | ')).not.toContain('"data"');
    if (heard.startsWith('HTTP/1.1 403')) expect(heard).toContain('HEADSTONE_API_KEYS');
  }
});

test('every answer has the headers that keep pages from misusing it, whoever makes it', async () => {
  const { server } = await startFrontDoor({ workers: 0, apiKeys });
  const host = `Host: ${new URL(server.url).host}`;
  for (const lines of [
    ['GET /v1/%zz HTTP/1.1', host],
    ['GET /%ff HTTP/1.1', host],
    ['GET /nowhere HTTP/1.1', host],
    ['BREW /v1/jobs HTTP/1.1', host],
    ['GET /readyz HTTP/1.1', host, `X-Large: ${'x'.repeat(20_000)}`],
    ['this is not HTTP'],
  ]) {
    const heard = (await rawLines(server.url, lines)).toLowerCase();
    expect(heard, lines[0]).toContain('x-content-type-options: nosniff');
    expect(heard, lines[0]).toContain("content-security-policy: default-src 'none'");
  }
});

test('I12: no spelling of a URL shows Redis’ facts on the board to those who may not have them', async () => {
  const { server } = await startFrontDoor({ workers: 0, apiKeys: apiKeys.filter(({ name }) => name !== 'bob') });
  const bearer = { authorization: `Bearer ${keys.alice}` };
  const own = await startFrontDoor({
    workers: 0,
    apiKeys: [{ name: 'alice', key: keys.alice, tenant: 'harbour', admin: false }],
  });
  for (const url of [server.url, own.server.url])
    for (const path of [
      '/board/api/redis/stats',
      '/board/api/%72edis/stats',
      '/board/api/redis/%73tats',
      '/board/%61pi/redis/stats',
      '/board/api/queues/launch/workers',
      '/board/api/metrics/latency',
    ]) {
      const { status, body } = await rawRequest(url, 'GET', path, bearer);
      // Bull Board has no metrics route unless a history is kept.
      expect(status, path).toBeGreaterThanOrEqual(403);
      expect(body, path).not.toContain('redis_version');
    }
  expect((await rawRequest(own.server.url, 'GET', '/board/api/queues', bearer)).status).toBe(200);
});

test('strangers are not told where the store is, and the operator is', async () => {
  const { server, producer } = await startFrontDoor({ workers: 0, apiKeys });
  const address = /127\.0\.0\.1:\d+/;
  redisOf(producer.store).disconnect();
  const ready = await rawRequest(server.url, 'GET', '/readyz');
  expect(ready.status).toBe(503);
  expect(ready.body).not.toMatch(address);
  const tenant = await rawRequest(server.url, 'GET', '/v1/jobs', { authorization: `Bearer ${keys.alice}` });
  expect(tenant.status).toBe(503);
  expect(tenant.body).toContain('The store is not answering');
  expect(tenant.body).not.toMatch(address);
  const operator = await rawRequest(server.url, 'GET', '/v1/jobs', { authorization: `Bearer ${keys.root}` });
  expect(operator.body).toMatch(address);
});

test('trying to sign in has a limit by address, and signing in one by key', async () => {
  const { server } = await startFrontDoor({ workers: 0, apiKeys });
  const signIn = async (key: string) => {
    const body = new URLSearchParams({ key, next: '/jobs' });
    return await fetch(`${server.url}/sign-in`, { method: 'POST', body, redirect: 'manual' });
  };
  for (let n = 0; n < 20; n += 1) expect((await signIn(keys.alice)).status).toBe(303);
  const often = await signIn(keys.alice);
  expect(often.status).toBe(429);
  expect((await signIn(keys.bob)).status).toBe(303);
  const tries = await Promise.all(Array.from({ length: 15 }, (_, n) => signIn(`guess-${n}-0123456789abc`)));
  expect(tries.filter(({ status }) => status === 401)).toHaveLength(10);
  const refused = await signIn(keys.bob);
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await refused.text()).toContain('Too many sign-in attempts');
});

test('a header that nobody may send is not read, and one that a proxy may send is short', async () => {
  const { server } = await startFrontDoor({ workers: 0, apiKeys });
  const slashes = `${'/'.repeat(15_000)}x`;
  const startedAt = performance.now();
  for (let call = 0; call < 20; call += 1)
    await rawRequest(server.url, 'GET', '/healthz', { 'x-forwarded-prefix': slashes });
  // One of them alone took a tenth of a second.
  expect(performance.now() - startedAt).toBeLessThan(1000);
  const behind = await startFrontDoor({ workers: 0, apiKeys, env: { HEADSTONE_TRUSTED_PROXIES: '127.0.0.1' } });
  const forwarded = { 'x-forwarded-for': '10.1.2.3', 'x-forwarded-prefix': slashes, accept: 'text/html' };
  expect((await rawRequest(behind.server.url, 'GET', '/sign-in', forwarded)).status).toBe(200);
});

test('what Node would answer by itself has our headers too', async () => {
  const { server } = await startFrontDoor({ workers: 0, apiKeys });
  const expectation = await rawLines(server.url, ['GET /healthz HTTP/1.1', 'Host: x', 'Expect: nothing']);
  const hostless = await rawLines(server.url, ['GET /healthz HTTP/1.1']);
  expect(expectation).toMatch(/^HTTP\/1.1 417 /);
  expect(hostless).toMatch(/^HTTP\/1.1 400 /);
  for (const answered of [expectation, hostless])
    expect(answered.toLowerCase()).toContain('x-content-type-options: nosniff');
});

test('the form to sign in takes a key, and no more', async () => {
  const { server } = await startFrontDoor({ workers: 0, apiKeys });
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  for (const headers of [form, { 'content-type': 'application/json' }]) {
    const reply = await fetch(`${server.url}/sign-in`, {
      method: 'POST',
      headers,
      body: `{"key":"${'x'.repeat(20_000)}"}`,
    });
    expect(reply.status).toBe(413);
  }
});
