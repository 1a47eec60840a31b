import { setImmediate as turn } from 'node:timers/promises';
import { AzureOpenAI, OpenAI } from 'openai';
import { expect, onTestFinished, test } from 'vitest';
import { createFetch } from '../../src/server/create-fetch.ts';
import { type HarnessOptions, scripted, startHarness } from '../support/harness.ts';
import { startProxy } from '../support/proxy.ts';
import { answer, startUpstream } from '../support/upstream.ts';

const request = (script: object = {}, input?: string) => ({ ...scripted(script, input), background: true as const });

async function startApp(options: HarnessOptions = {}) {
  const harness = await startHarness(options);
  const real: string[] = [];
  const fetchAt: typeof fetch = async (input, init) => {
    const call = new Request(input, init);
    real.push(`${call.method} ${new URL(call.url).pathname}`);
    return await fetch(call);
  };
  const baseURL = harness.simulator.url;
  const clientOf = (tenant?: string) =>
    new OpenAI({
      apiKey: 'any',
      baseURL,
      maxRetries: 0,
      fetch: createFetch(harness.producer, { fetch: fetchAt, ...(tenant ? { tenant } : {}) }),
    });
  return { ...harness, real, fetchAt, clientOf, client: clientOf() };
}

test('I1: three words more in an app, and its create, retrieve loop and cancel hold, without a server', async () => {
  const { client, happened, producer, real } = await startApp();
  const created = await client.responses.create(request());
  await expect.poll(async () => (await client.responses.retrieve(created.id)).status).toBe('completed');
  const unwanted = await client.responses.create(request({ duration_ms: 300, flip_after_ms: 100 }, 'Unwanted'));
  await happened('launch_acknowledged', ({ job_id }) => job_id === unwanted.id);
  expect((await client.responses.cancel(unwanted.id)).status).toBe('cancelled');
  await happened('tokens_wasted');
  for (let read = 0; read < 50; read += 1)
    expect(await client.responses.retrieve(unwanted.id)).toMatchObject({ status: 'cancelled', output: [] });
  expect((await producer.list()).length).toBe(2);
  expect((await client.responses.inputItems.list(created.id)).data).toHaveLength(1);
  await client.responses.delete(created.id);
  await expect(client.responses.retrieve(created.id)).rejects.toMatchObject({ status: 404 });
  expect(real).toEqual([]);
});

test('streams go through too: plain iteration, stream(), and a cancel that ends them', async () => {
  const { client } = await startApp();
  const { background, ...wish } = request({ duration_ms: 700 });
  const runner = client.responses.stream({ ...wish, background: true });
  expect((await runner.finalResponse()).output_text).toContain('Write about tides');
  let last = '';
  let id = '';
  for await (const event of await client.responses.create({ ...request({ duration_ms: 3000 }), stream: true })) {
    last = event.type;
    if (event.type === 'response.created') id = event.response.id;
    if (event.type === 'response.output_text.delta') await client.responses.cancel(id);
  }
  expect(last).toBe('response.failed');
});

test('what is not a background response goes on to the real fetch; a chain under the provider’s id, and never to a refused one', async () => {
  const bodies: string[] = [];
  const upstreamUrl = await startUpstream((_call, body, response) => {
    bodies.push(body);
    answer(response, 200, { id: 'resp_direct', object: 'response', status: 'completed', output: [], data: [] });
  });
  const { producer, happened, fetchAt, real, client } = await startApp();
  const direct = new OpenAI({ apiKey: 'any', baseURL: upstreamUrl, fetch: createFetch(producer, { fetch: fetchAt }) });
  await direct.models.list();
  expect((await direct.responses.create({ model: 'm', input: 'Now' })).id).toBe('resp_direct');
  expect((await direct.responses.retrieve('resp_direct')).id).toBe('resp_direct');
  expect(real).toEqual(['GET /v1/models', 'POST /v1/responses', 'GET /v1/responses/resp_direct']);
  const first = await client.responses.create(request());
  const { response_id } = await happened('launch_acknowledged');
  await happened('job_decided');
  await direct.responses.create({ model: 'm', input: 'More', previous_response_id: first.id });
  expect(JSON.parse(bodies.at(-1) ?? '')).toMatchObject({ previous_response_id: response_id });
  const refused = await client.responses.create(request({ duration_ms: 400 }, 'Refused'));
  await client.responses.cancel(refused.id);
  const chain = direct.responses.create({ model: 'm', input: 'x', previous_response_id: refused.id });
  await expect(chain).rejects.toThrow();
  await expect(direct.responses.retrieve(response_id)).rejects.toMatchObject({ status: 404 });
});

test('I12: each fetch has its tenant, errors are OpenAI’s, an abort aborts, and Azure’s paths are known', async () => {
  const { clientOf, producer, simulator, fetchAt } = await startApp({ workers: 0 });
  const { id } = await clientOf('harbour').responses.create(request());
  expect((await producer.get(id))?.tenant).toBe('harbour');
  await expect(clientOf('museum').responses.retrieve(id)).rejects.toMatchObject({ status: 404 });
  await expect(clientOf().responses.create({ ...request(), input: '' })).rejects.toMatchObject({
    status: 400,
    param: 'input',
  });
  const signal = AbortSignal.abort();
  await expect(clientOf('harbour').responses.retrieve(id, {}, { signal })).rejects.toThrow(/abort/i);
  const azure = new AzureOpenAI({
    apiKey: 'any',
    apiVersion: '2025-04-01-preview',
    baseURL: `${new URL(simulator.url).origin}/openai`,
    fetch: createFetch(producer, { fetch: fetchAt }),
  });
  expect((await azure.responses.create(request({}, 'From Azure'))).status).toBe('queued');
});

test('I1: a response of ours is never asked for at the provider, however its id is spelled', async () => {
  const { simulator, producer, fetchAt, real, happened } = await startApp();
  const plain = new OpenAI({ apiKey: 'any', baseURL: simulator.url, maxRetries: 0 });
  const { id } = await plain.responses.create(request({ duration_ms: 200, flip_after_ms: 50 }));
  await producer.adopt(id);
  await producer.cancel(id);
  await happened('tokens_wasted');
  const guarded = createFetch(producer, { fetch: fetchAt });
  for (const spelled of [
    id.replaceAll('_', '%5F'),
    `${id}/`,
    `${id}//`,
    `./${id}`,
    `%72${id.slice(1)}`,
    `${id}/unknown`,
  ]) {
    const answered = await guarded(`${simulator.url}/responses/${spelled}`);
    expect(await answered.text(), spelled).not.toContain('Here is what there is to say');
  }
  expect(real).toEqual([]);
  // A copy of the signal does not keep it running either.
  for (const path of ['responses', 'responses/compact', 'responses/input_tokens']) {
    const body = JSON.stringify({ model: 'gpt-5.5', input: 'x', previous_response_id: id });
    const refused = await guarded(`${simulator.url}/${path}`, { method: 'POST', body });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { param: 'previous_response_id' } });
  }
  expect(real).toEqual([]);
});

test('a body that nobody reads, and a store that is away, throw into nobody’s hands', async () => {
  const { client, producer } = await startApp({ workers: 0 });
  const thrown: unknown[] = [];
  const catchAll = (error: unknown) => thrown.push(error);
  process.on('uncaughtException', catchAll);
  onTestFinished(() => {
    process.off('uncaughtException', catchAll);
  });
  for (const stream of [false, true]) {
    const answered = await client.responses.create({ ...request(), stream }).asResponse();
    await answered.body?.cancel();
  }
  for (const stream of [false, true]) {
    const leaving = new AbortController();
    const { signal } = leaving;
    const answered = await client.responses.create({ ...request(), stream }, { signal }).asResponse();
    leaving.abort();
    // The error comes in a separate turn of the event loop, when nobody reads yet.
    await turn();
    await expect(answered.text()).rejects.toThrow(/abort/i);
  }
  const { id } = await client.responses.create(request());
  await producer.close();
  // A closed producer is like a store that is away: the app's client gets an answer that it understands.
  await expect(client.responses.retrieve(id)).rejects.toMatchObject({ status: 503, code: 'store_unreachable' });
  expect(thrown).toEqual([]);
});

test('a base URL may have segments of the same name', async () => {
  const { producer, fetchAt, real } = await startApp({ workers: 0 });
  const apim = new OpenAI({
    apiKey: 'any',
    baseURL: 'https://apim.example/responses/openai/v1',
    maxRetries: 0,
    fetch: createFetch(producer, { fetch: fetchAt }),
  });
  const { id } = await apim.responses.create(request());
  expect((await apim.responses.cancel(id)).status).toBe('cancelled');
  expect((await apim.responses.retrieve(id)).status).toBe('cancelled');
  expect((await apim.responses.inputItems.list(id)).data).toHaveLength(1);
  expect(real).toEqual([]);
});

test('the real fetch gets a call as it came: by a proxy, as a Request, with a body that is a stream', async () => {
  const { producer, happened, client, simulator } = await startApp();
  const calls: Parameters<typeof fetch>[] = [];
  const recorder: typeof fetch = async (...call) => {
    calls.push(call);
    return Response.json({ id: 'resp_direct', object: 'response', status: 'completed', output: [], data: [] });
  };
  const dispatcher = { of: 'the app' };
  const direct = new OpenAI({
    apiKey: 'any',
    baseURL: simulator.url,
    fetch: createFetch(producer, { fetch: recorder }),
    fetchOptions: { dispatcher } as never,
  });
  const { id } = await client.responses.create(request());
  const { response_id } = await happened('launch_acknowledged');
  await happened('job_decided');
  await direct.models.list();
  await direct.responses.retrieve('resp_direct');
  await direct.responses.create({ model: 'm', input: 'Now' });
  await direct.responses.create({ model: 'm', input: 'More', previous_response_id: id });
  expect(calls.map(([, init]) => (init as { dispatcher?: unknown }).dispatcher)).toEqual(Array(4).fill(dispatcher));
  expect(calls.map(([, init]) => typeof init?.body)).toEqual(['undefined', 'undefined', 'string', 'string']);
  expect(JSON.parse(String(calls.at(-1)?.[1]?.body)).previous_response_id).toBe(response_id);

  const guarded = createFetch(producer, { fetch: recorder });
  const wish = JSON.stringify({ model: 'm', input: 'As it comes' });
  const body = () => ReadableStream.from([Buffer.from(wish)]) as ReadableStream;
  const post = { method: 'POST', duplex: 'half' } as const;
  const url = `${simulator.url}/responses`;
  await guarded(new Request(url, { ...post, body: body() }));
  await guarded(url, { ...post, body: body() });
  await guarded(`${url}/resp_direct/anything`, { ...post, body: body() });
  for (const call of calls.slice(-3)) expect(await new Request(...call).text()).toBe(wish);
  const accepted = await guarded(new Request(url, { ...post, body: JSON.stringify(request()) }));
  expect(await accepted.json()).toMatchObject({ status: 'queued' });
  await guarded('/not/an/absolute/url');
  expect(calls.at(-1)).toEqual(['/not/an/absolute/url', undefined]);
});

test('I9: a stream that is left early is followed no further: by break, by a cancel before the first read, by an abort', async () => {
  const { client, producer } = await startApp();
  let open = 0;
  const subscribe = producer.subscribe.bind(producer);
  producer.subscribe = async function* (...asked) {
    open += 1;
    try {
      yield* subscribe(...asked);
    } finally {
      open -= 1;
    }
  };
  // A long stream that lasts longer than this test.
  const wish = { ...request({ duration_ms: 20_000, deltas: 4000 }), stream: true } as const;
  for await (const event of await client.responses.create(wish)) if (event.type === 'response.output_text.delta') break;
  const { id } = (await producer.list())[0] ?? { id: '' };
  const answered = await client.responses.retrieve(id, { stream: true }).asResponse();
  expect(open).toBeGreaterThan(0);
  await answered.body?.cancel();
  const leaving = new AbortController();
  const { signal } = leaving;
  for await (const _ of await client.responses.retrieve(id, { stream: true }, { signal })) leaving.abort();
  await expect.poll(() => open, { timeout: 3000 }).toBe(0);
});

test('an abort is heard while the store is silent, and what names no response of ours needs no store', async () => {
  const proxy = await startProxy();
  const { producer, fetchAt, simulator, real } = await startApp({ workers: 0, redisUrl: proxy.redisUrl });
  const { id } = await producer.enqueue(scripted());
  const guarded = createFetch(producer, { fetch: fetchAt });
  proxy.freeze();
  const askedAt = performance.now();
  const signal = AbortSignal.timeout(200);
  await expect(guarded(`${simulator.url}/responses/${id}`, { signal })).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(performance.now() - askedAt).toBeLessThan(2000);
  await guarded(`${simulator.url}/responses/input_tokens`, { method: 'POST', body: '{"model":"m","input":"x"}' });
  expect(real).toEqual(['POST /v1/responses/input_tokens']);
  proxy.heal();
});
