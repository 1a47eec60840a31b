import { OpenAI } from 'openai';
import { expect, onTestFinished, test } from 'vitest';
import { createProducer } from '../../src/producer/create-producer.ts';
import { createFetch } from '../../src/server/create-fetch.ts';
import { startServer } from '../../src/server/server.ts';
import { startFrontDoor } from '../support/front-door.ts';
import { type HarnessOptions, scripted, startHarness } from '../support/harness.ts';
import { answer, startUpstream } from '../support/upstream.ts';

const upgrading = { HEADSTONE_UPGRADE: '1', HEADSTONE_DISCONNECT_GRACE_MS: '200' };

/** What a create without `background` may carry. */
const plain = (script: object = {}, input?: string) => scripted(script, input);

const ways = {
  'over HTTP': async (options: HarnessOptions = {}) => {
    const door = await startFrontDoor({ ...options, env: { ...upgrading, ...options.env } });
    return { ...door, fetchOf: fetch, baseURL: `${door.server.url}/v1`, client: door.client };
  },
  'in process': async (options: HarnessOptions = {}) => {
    const harness = await startHarness({ ...options, env: { ...upgrading, ...options.env } });
    const fetchOf = createFetch(harness.producer, { upgrade: true });
    const baseURL = harness.simulator.url;
    const client = new OpenAI({ apiKey: 'any', baseURL, maxRetries: 0, fetch: fetchOf });
    return { ...harness, fetchOf, baseURL, client };
  },
};

for (const [way, start] of Object.entries(ways)) {
  test(`${way}: a plain create is answered as the provider would, and is a job`, async () => {
    const { client, producer } = await start();
    const { data, response } = await client.responses.create(plain()).withResponse();
    expect(data).toMatchObject({ object: 'response', status: 'completed', background: false });
    expect(data.output_text).toContain('Write about tides');
    expect(data).not.toHaveProperty('headstone');
    expect(data.metadata).not.toHaveProperty('headstone');
    const id = response.headers.get('x-headstone-job') ?? '';
    expect(response.headers.get('x-headstone-upgrade')).toBe('1');
    expect(data.id).toBe(id);
    expect(await producer.get(id)).toMatchObject({ status: 'completed', ledger: [{ kind: 'used' }] });
    // A second turn continues it.
    const next = await client.responses.create({ ...plain({}, 'And then?'), previous_response_id: data.id });
    expect(next).toMatchObject({ status: 'completed', previous_response_id: data.id });
  });

  test(`${way}: a plain stream has the events of a plain create`, async () => {
    const { client, producer } = await start();
    const seen: OpenAI.Responses.ResponseStreamEvent[] = [];
    for await (const event of await client.responses.create({ ...plain({ duration_ms: 300 }), stream: true }))
      seen.push(event);
    expect(seen[0]).toMatchObject({ type: 'response.created', response: { background: false } });
    expect(seen.at(-1)).toMatchObject({
      type: 'response.completed',
      response: { background: false, status: 'completed' },
    });
    expect(seen.filter(({ type }) => type === 'response.output_text.delta').length).toBeGreaterThan(3);
    expect(JSON.stringify(seen)).not.toContain('headstone');
    expect(await producer.list()).toMatchObject([{ status: 'completed' }]);
  });

  test(`${way}: I1, I3: an abort is a cancel after the grace, and its waste is booked`, async () => {
    const { client, producer, happened } = await start();
    const known = new Set<string>();
    for (const stream of [false, true]) {
      const aborting = new AbortController();
      const input = stream ? 'Streamed' : 'Plain';
      const asked = client.responses.create(
        { ...plain({ duration_ms: 1500, flip_after_ms: 0 }, input), stream },
        { signal: aborting.signal },
      );
      asked.catch(() => {});
      const { response_id, job_id } = await happened('launch_acknowledged', ({ job_id: id }) => !known.has(id));
      known.add(job_id);
      if (stream)
        void (async () => {
          for await (const _ of (await asked) as AsyncIterable<unknown>);
        })().catch(() => {});
      aborting.abort();
      await happened('tokens_wasted', row => row.response_id === response_id);
      expect(await producer.get(job_id)).toMatchObject({
        status: 'cancelled',
        tombstone: { reason: 'client_disconnected', cause: 'cancelled' },
        ledger: [{ kind: 'wasted', cause: 'cancelled', reason: 'client_disconnected', status: 'final' }],
      });
    }
    const { data } = await producer.waste({ groupBy: 'reason' });
    expect(data).toMatchObject([{ key: 'client_disconnected', responses: 2 }]);
  });
  test(`${way}: with x-headstone-on-disconnect: continue the job goes on`, async () => {
    const { client, happened, producer } = await start();
    const aborting = new AbortController();
    const asked = client.responses.create(plain({ duration_ms: 1000 }), {
      signal: aborting.signal,
      headers: { 'x-headstone-on-disconnect': 'continue' },
    });
    asked.catch(() => {});
    const { job_id } = await happened('launch_acknowledged');
    aborting.abort();
    expect(await producer.wait(job_id)).toMatchObject({ status: 'completed' });
  });

  test(`${way}: I6: an equal create within the grace takes over what its caller left, and pays for nothing more`, async () => {
    const { client, happened, producer } = await start({ env: { HEADSTONE_DISCONNECT_GRACE_MS: '5000' } });
    const aborting = new AbortController();
    const request = plain({ duration_ms: 1500 });
    const first = client.responses.create(request, { signal: aborting.signal });
    first.catch(() => {});
    const { job_id } = await happened('launch_acknowledged');
    aborting.abort();
    await expect(first).rejects.toThrow();
    const left = await producer.store.laneOf(job_id);
    await expect.poll(() => left.ask(redis => redis.keys(`${left.keys.left('')}*`))).toHaveLength(1);
    const second = await client.responses.create(request);
    expect(second).toMatchObject({ id: job_id, status: 'completed' });
    expect(await producer.list()).toHaveLength(1);
  });

  test(`${way}: a refusal has the provider’s status, type, code and parameter, streamed or not`, async () => {
    const { client } = await start();
    for (const stream of [false, true]) {
      const body = {
        error: { message: 'No.', type: 'invalid_request_error', param: 'input[0]', code: 'invalid_prompt' },
      };
      const refused = client.responses.create({
        ...plain({ create_answer: { status: 422, body } }, `${stream}`),
        stream,
      });
      await expect(refused).rejects.toMatchObject({
        status: 422,
        type: 'invalid_request_error',
        param: 'input[0]',
        code: 'invalid_prompt',
      });
    }
  });

  test(`${way}: a missing model is told at once, and so is the next call under the hold`, async () => {
    const { client } = await start();
    const asked = () => client.responses.create({ ...plain({ create: 'no_model' }), model: 'gpt-9' });
    await expect(asked()).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
    await expect(asked()).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
  });

  test(`${way}: I1: a job that a person cancels is an error that no client sends again`, async () => {
    const { client, happened, producer } = await start();
    const asked = client.responses.create(plain({ duration_ms: 5000 }), { maxRetries: 2 });
    asked.catch(() => {});
    const { job_id } = await happened('launch_acknowledged');
    await producer.cancel(job_id, { actor: 'alice', reason: 'too expensive' });
    await expect(asked).rejects.toMatchObject({
      status: 400,
      code: 'cancelled',
      message: expect.stringContaining('alice: too expensive'),
    });
    expect(await producer.list()).toHaveLength(1);
  });

  test(`${way}: a failed run is the provider’s Response`, async () => {
    const { client } = await start();
    expect(await client.responses.create(plain({ end: 'failed' }))).toMatchObject({
      status: 'failed',
      background: false,
      error: { code: 'server_error' },
    });
  });
}

test('what cannot be a job goes to the provider, and says why; where nothing may, it is a 400', async () => {
  const upstream = await startUpstream((_request, _body, response) =>
    answer(response, 200, { id: 'resp_plain', object: 'response', output: [] }),
  );
  const { producer } = await startHarness({ env: upgrading, workers: 0 });
  const real = createFetch(producer, { upgrade: true });
  const client = new OpenAI({ apiKey: 'any', baseURL: upstream, maxRetries: 0, fetch: real });
  const told = async (body: object) => {
    const { response, data } = await client.responses
      .create({ model: 'gpt-5.5', input: 'x', ...body } as OpenAI.Responses.ResponseCreateParamsNonStreaming)
      .withResponse();
    expect(data.id).toBe('resp_plain');
    return response.headers.get('x-headstone-upgrade');
  };
  expect(await told({ store: false })).toBe('0; store is false');
  expect(await told({ conversation: 'conv_1' })).toBe('0; conversation is given');
  const metadata = Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`k${n}`, 'v']));
  expect(await told({ metadata })).toBe('0; metadata has more than 15 pairs');

  const door = await startFrontDoor({ env: upgrading });
  await expect(door.client.responses.create({ model: 'gpt-5.5', input: 'x', store: false })).rejects.toMatchObject({
    status: 400,
    message: expect.stringContaining('store is false'),
  });
  // And a request may choose otherwise than the setting.
  await expect(
    door.client.responses.create(plain(), { headers: { 'x-headstone-upgrade': '0' } }),
  ).rejects.toMatchObject({ status: 400, param: 'background' });
  await expect(
    door.client.responses.create(plain(), { headers: { 'x-headstone-upgrade': 'yes' } }),
  ).rejects.toMatchObject({ status: 400, message: expect.stringContaining('must be 0 or 1') });
});

test('a model without background is passed on once the provider has said so, and remembered', async () => {
  const seen: unknown[] = [];
  const upstream = await startUpstream((_request, body, response) => {
    const { background } = JSON.parse(body) as { background?: boolean };
    seen.push(background);
    if (background)
      return answer(response, 400, {
        error: {
          message: "Unsupported parameter: 'background' is not supported with this model.",
          type: 'invalid_request_error',
          param: 'background',
          code: 'unsupported_parameter',
        },
      });
    return answer(response, 200, { id: 'resp_plain', object: 'response', output: [] });
  });
  const { producer } = await startHarness({ env: upgrading, upstreamUrl: upstream });
  const client = new OpenAI({
    apiKey: 'any',
    baseURL: upstream,
    maxRetries: 0,
    fetch: createFetch(producer, { upgrade: true }),
  });
  for (let call = 0; call < 3; call += 1) {
    const { data, response } = await client.responses.create({ model: 'o1-old', input: 'x' }).withResponse();
    expect(data.id).toBe('resp_plain');
    expect(response.headers.get('x-headstone-upgrade')).toMatch(/^0; the provider does not run/);
  }
  expect(seen).toEqual([true, undefined, undefined, undefined]);
});

test('I6: the SDK’s own re-send, to another server, joins the job of the one that died', async () => {
  const door = await startFrontDoor({ env: upgrading });
  const other = await startServer({ ...door, apiKeys: null, port: 0, insecureListen: false });
  onTestFinished(() => other.close());
  let sends = 0;
  // The first send goes to a server that dies; a load balancer sends the next one elsewhere.
  const client = new OpenAI({
    apiKey: 'any',
    baseURL: `${door.server.url}/v1`,
    maxRetries: 2,
    fetch: async (input, init) => {
      sends += 1;
      return await fetch(sends === 1 ? input : String(input).replace(door.server.url, other.url), init);
    },
  });
  const asked = client.responses.create(plain({ duration_ms: 1500 }));
  await door.happened('launch_acknowledged');
  await door.server.close();
  expect(await asked).toMatchObject({ status: 'completed' });
  expect(sends).toBe(2);
  expect(await door.producer.list()).toHaveLength(1);
  expect((await door.simulatorLedger()).responses).toHaveLength(1);
});

test('I6: a server that stops hands its callers’ jobs over, also to clients that do not say that they send again', async () => {
  const door = await startFrontDoor({ env: upgrading });
  const { configuration, telemetry } = door;
  const producer = createProducer({ connection: door.redisUrl, prefix: door.prefix, configuration, telemetry });
  const other = await startServer({
    producer,
    configuration,
    telemetry,
    apiKeys: null,
    port: 0,
    insecureListen: false,
  });
  onTestFinished(async () => {
    await other.close();
    await producer.close();
  });
  const body = JSON.stringify(plain({ duration_ms: 1500 }));
  const send = (url: string) =>
    fetch(`${url}/v1/responses`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  const first = send(door.server.url).catch((error: Error) => error);
  const { job_id } = await door.happened('launch_acknowledged');
  await door.server.close();
  expect(await first).toBeInstanceOf(Error);
  const second = await send(other.url);
  expect(await second.json()).toMatchObject({ id: job_id, status: 'completed' });
  expect(await producer.list()).toHaveLength(1);
});

test('a caller that lets a job go on keeps it from being cancelled by those who leave', async () => {
  const { client, happened, producer } = await ways['over HTTP']();
  const aborting = new AbortController();
  const headers = { 'idempotency-key': 'report-1' };
  const request = plain({ duration_ms: 1500 });
  const first = client.responses.create(request, { signal: aborting.signal, headers });
  first.catch(() => {});
  const { job_id } = await happened('launch_acknowledged');
  const staying = client.responses.create(request, {
    headers: { ...headers, 'x-headstone-on-disconnect': 'continue' },
  });
  const lane = await producer.store.laneOf(job_id);
  await expect.poll(() => lane.ask(redis => redis.hexists(lane.keys.job(job_id), 'attended'))).toBe(0);
  aborting.abort();
  expect(await staying).toMatchObject({ id: job_id, status: 'completed' });
});

test('I9: refused streams leave no listener behind', async () => {
  const { client, producer } = await ways['in process']();
  const listeners = () => {
    const { decisions, streamed } = producer.store.home;
    return [decisions, streamed].map(channel => channel.size);
  };
  const body = { error: { message: 'No.', type: 'invalid_request_error', param: 'input', code: 'invalid_prompt' } };
  for (let call = 0; call < 5; call += 1)
    await client.responses
      .create({ ...plain({ create_answer: { status: 400, body } }, `${call}`), stream: true })
      .catch(() => {});
  await expect.poll(listeners).toEqual([0, 0]);
});

test('I12: an error about another part of the request says nothing about background, whatever its words', async () => {
  const message = "Invalid schema: context=('properties', 'background') is not permitted in background mode.";
  const body = { error: { message, type: 'invalid_request_error', param: 'text.format.schema', code: null } };
  const { client } = await ways['over HTTP']();
  const wrong = client.responses.create(plain({ create_answer: { status: 400, body } }));
  await expect(wrong).rejects.toMatchObject({ status: 400, param: 'text.format.schema' });
  expect(await client.responses.create(plain({}, 'Right'))).toMatchObject({ status: 'completed' });
});

test('a provider that nobody reaches is a 503, because nothing ran', async () => {
  const { client } = await ways['over HTTP']({ upstreamUrl: 'http://127.0.0.1:9/v1' });
  await expect(client.responses.create(plain())).rejects.toMatchObject({ status: 503, code: 'no_route' });
});
