// Answers in their exact bytes: what passes through unchanged, and what is odd in itself.
import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { openUpstream } from '../../src/provider/upstream.ts';
import { startFrontDoor } from '../support/front-door.ts';
import { scripted, startHarness } from '../support/harness.ts';
import { answer, startUpstream } from '../support/upstream.ts';

test('what need not change goes through to the letter, both ways', async () => {
  const bodies: string[] = [];
  const tools =
    '[{"type":"function","name":"f","parameters":{"properties":{"b":{},"10":{"maximum":9223372036854775807},"9":{"default":1.0},"__proto__":{"const":1e400}}}}]';
  const output =
    '[{"type":"message","id":"msg_1","content":[{"type":"output_text","text":"x","b":1,"10":1.0,"9":9223372036854775807}]}]';
  const upstreamUrl = await startUpstream((call, body, response) => {
    if (call.method === 'POST') bodies.push(body);
    const { metadata = {} } = body === '' ? {} : JSON.parse(body);
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(
        `{"status":"${call.method === 'POST' ? 'queued' : 'completed'}","id":"resp_1","temperature":1.0,"metadata":${JSON.stringify(metadata)},"output":${output}}`,
      );
  });
  const { server, producer } = await startFrontDoor({ upstreamUrl });
  const request = `{"tools":${tools},"model":"m","background":true,"temperature":1.0,"input":"x","seed":9007199254740993}`;
  const answer = await fetch(`${server.url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: request,
  });
  const queued = await answer.text();
  expect(queued).toContain(`"tools":${tools}`);
  expect(queued).toContain('"temperature":1.0');
  const { id } = JSON.parse(queued) as { id: string };
  await producer.wait(id);
  expect(bodies[0]).toContain(`"tools":${tools}`);
  expect(bodies[0]).toContain('"temperature":1.0,"input":"x","seed":9007199254740993');
  const done = await (await fetch(`${server.url}/v1/responses/${id}`)).text();
  expect(done).toContain(`"output":${output}`);
  expect(done).toContain('"temperature":1.0');
  expect(done).not.toContain('headstone":"');
});

describe('answers that are odd in their bytes', () => {
  /** One create, with a literal answer. */
  async function launchedWith(
    say: (response: ServerResponse, metadata: unknown) => void,
    stream = false,
    reads = '{"id":"resp_1","status":"completed","output":[]}',
  ) {
    const upstreamUrl = await startUpstream((call, body, response) => {
      if (call.method === 'POST' && call.url?.endsWith('/responses')) return say(response, JSON.parse(body).metadata);
      response.writeHead(200, { 'content-type': 'application/json' }).end(reads);
    });
    const harness = await startHarness({ upstreamUrl, env: { HEADSTONE_LAUNCH_TIMEOUT_MS: '3000' } });
    const { id } = await harness.producer.enqueue({ model: 'm', input: 'x', stream });
    return { ...harness, id };
  }
  const queued = '{"id":"resp_1","status":"queued"}';

  test.for<[string, (response: ServerResponse) => void, boolean]>([
    ['a mark before its JSON', response => response.end(`\ufeff${queued}`), false],
    [
      'a time that no date can say',
      response => response.end('{"id":"resp_1","status":"queued","created_at":1e306}'),
      false,
    ],
    [
      'a status that is a name of JavaScript’s',
      response => response.end('{"id":"resp_1","status":"constructor"}'),
      false,
    ],
    [
      'JSON as deep as a parser reads',
      response => response.end(`{"id":"resp_1","status":"queued","x":${'['.repeat(5000)}${']'.repeat(5000)}}`),
      false,
    ],
    [
      'events under another type',
      response =>
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(`data: {"type":"response.created","response":${queued}}\n\n`),
      true,
    ],
    [
      'JSON under the type of a stream',
      response => response.writeHead(200, { 'content-type': 'text/event-stream' }).end(queued),
      true,
    ],
    [
      'a whole response in an error',
      response =>
        response
          .writeHead(400, { 'content-type': 'application/json' })
          .end('{"id":"resp_1","object":"response","status":"queued"}'),
      false,
    ],
  ])('I3: the id is taken from %s', async ([, say, stream]) => {
    const { producer, id } = await launchedWith(say, stream);
    expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
    expect((await producer.get(id))?.response_id).toBe('resp_1');
  });

  test.for<[string, (response: ServerResponse) => void, string]>([
    [
      'an error of 70 KB',
      response => response.writeHead(422).end(JSON.stringify({ detail: 'Too long.', input: 'x'.repeat(70_000) })),
      'Too long.',
    ],
    [
      'a reason that is no ASCII',
      response =>
        response.socket?.end('HTTP/1.1 400 \u9519\u8bef\r\ncontent-length: 26\r\n\r\n{"error":"Wrong request."} '),
      'Wrong request.',
    ],
    ['a firewall’s page for a limit', response => response.writeHead(413).end('<html>'), 'The provider answered 413.'],
  ])('%s is a refusal all the same', async ([, say, message]) => {
    const { producer, id } = await launchedWith(say);
    expect(await producer.wait(id)).toMatchObject({ status: 'failed', error: { message } });
  });

  test('a stream that never says what it is costs a launch no more time than any other', async () => {
    const { producer, id } = await launchedWith(response => void response.writeHead(200).flushHeaders(), true);
    expect(await producer.wait(id, { timeoutMs: 10_000 })).toMatchObject({ error: { code: 'launch_unknown' } });
  });

  test('I3: a usage that no sum can hold closes neither the job nor the ledger', async () => {
    const usage = '{"input_tokens":9007199254740991,"output_tokens":0}';
    const { producer, id } = await launchedWith(
      response => response.end(queued),
      false,
      `{"id":"resp_1","status":"completed","output":[],"usage":${usage}}`,
    );
    expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
    expect(await producer.ledger()).toMatchObject([{ response_id: 'resp_1', usage: null }]);
  });

  test('I13: a code that is free text stands in no event', async () => {
    const body = JSON.stringify({ error: { message: 'No.', code: 'The prompt "my secret" is bad' } });
    const { producer, id, events } = await launchedWith(response => response.writeHead(400).end(body));
    expect(await producer.wait(id)).toMatchObject({ error: { code: 'http_400', message: 'No.' } });
    expect(JSON.stringify(events)).not.toContain('my secret');
  });

  test('one record with a list that is none hides no other', async () => {
    const { producer, redis, prefixOf } = await startHarness({ workers: 0 });
    const { id } = await producer.enqueue(scripted());
    await redis.hset(`${await prefixOf(id)}:job:${id}`, { tags: 'not JSON', include: '7', deadline_at: 'never' });
    expect(await producer.list()).toHaveLength(1);
    expect((await producer.get(id))?.unreadable.sort()).toEqual(['deadline_at', 'include', 'tags']);
  });
});

test('a field that the provider does not know, asked for by a reader, keeps nobody from the result', async () => {
  const upstreamUrl = await startUpstream((call, _body, response) => {
    const isOdd = call.method === 'GET' && call.url?.includes('include');
    response
      .writeHead(isOdd ? 400 : 200, { 'content-type': 'application/json' })
      .end(
        isOdd
          ? '{"error":{"message":"Invalid value"}}'
          : `{"id":"resp_1","status":"${call.method === 'POST' ? 'queued' : 'completed'}","output":[]}`,
      );
  });
  const { client, producer } = await startFrontDoor({ upstreamUrl, env: { HEADSTONE_POLL_MIN_MS: '200' } });
  const { id } = await client.responses.create({ model: 'm', input: 'x', background: true });
  await fetch(`${client.baseURL}/responses/${id}?include[]=nonsense.field`);
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
});

test('nor does it cost the fields that the create itself included', async () => {
  const asked: string[][] = [];
  const upstreamUrl = await startUpstream((call, _body, response) => {
    if (call.method === 'POST') return answer(response, 200, { id: 'resp_1', status: 'queued', output: [] });
    const names = new URL(call.url ?? '', 'http://x').searchParams.getAll('include[]');
    asked.push(names);
    if (names.includes('nonsense.field')) return answer(response, 400, { error: { message: 'Invalid value' } });
    const output = names.map(name => ({ id: name, type: 'included' }));
    return answer(response, 200, { id: 'resp_1', status: 'completed', output });
  });
  const { client, producer } = await startFrontDoor({ upstreamUrl, env: { HEADSTONE_POLL_MIN_MS: '200' } });
  const own = ['message.output_text.logprobs'] as const;
  const { id } = await client.responses.create({ model: 'm', input: 'x', background: true, include: [...own] });
  await fetch(`${client.baseURL}/responses/${id}?include[]=nonsense.field`);
  const finished = await producer.wait(id);
  expect(asked).toEqual([[...own, 'nonsense.field'], own]);
  expect(finished).toMatchObject({ response: { output: [{ id: own[0] }] } });
});

test('a request that differs in a number that JavaScript cannot hold is another one', async () => {
  const { server } = await startFrontDoor({ workers: 0 });
  const send = async (seed: string) => {
    const body = `{"model":"m","input":"x","background":true,"seed":${seed},"headstone":{"id":"n1"}}`;
    return (
      await fetch(`${server.url}/v1/responses`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
    ).status;
  };
  expect([await send('9007199254740993'), await send('9007199254740993'), await send('9007199254740992')]).toEqual([
    200, 200, 409,
  ]);
});

test('I4: an answer that stops in the middle of its body is a launch of unknown end, by a time-out', async () => {
  const baseURL = await startUpstream((_call, _body, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{"id":"resp_1",');
  });
  const upstream = await openUpstream({ openai: { apiKey: 'any', baseURL }, launchTimeoutMs: 200 });
  expect(await upstream.create('{"model":"m"}', 'm')).toMatchObject({ kind: 'unknown', code: 'timeout' });
});

test.each([
  [303, 'the response at its Location', '/v1/responses/resp_1', { kind: 'acknowledged' }, ['POST', 'GET']],
  [302, 'the response at its Location', '/v1/responses/resp_1', { kind: 'acknowledged' }, ['POST', 'GET']],
  [
    303,
    'a launch of unknown end, if it leads to another host',
    'http://elsewhere.example/r',
    { kind: 'unknown' },
    ['POST'],
  ],
  [
    307,
    'a create that was not run yet, which is sent to where it belongs',
    '/v1/moved',
    { kind: 'acknowledged' },
    ['POST', 'POST'],
  ],
])('I6: a create that is answered with %i is %s', async (status, _what, location, expected, methods) => {
  const seen: string[] = [];
  const baseURL = await startUpstream((call, _body, response) => {
    seen.push(call.method ?? '');
    if (seen.length === 1) response.writeHead(status, { location }).end();
    else answer(response, 200, { id: 'resp_1', status: 'queued' });
  });
  const upstream = await openUpstream({ openai: { apiKey: 'any', baseURL }, launchTimeoutMs: 5000 });
  expect(await upstream.create('{"model":"m"}', 'm')).toMatchObject(expected);
  expect(seen).toEqual(methods);
});

test('two headers that name a packing do not hide an id', async () => {
  const baseURL = await startUpstream((_call, _body, response) => {
    response.writeHead(200, [
      ['content-type', 'application/json'],
      ['content-encoding', 'identity'],
      ['content-encoding', 'identity'],
    ]);
    response.end('{"id":"resp_1","status":"queued"}');
  });
  const upstream = await openUpstream({ openai: { apiKey: 'any', baseURL }, launchTimeoutMs: 5000 });
  expect(await upstream.create('{"model":"m"}', 'm')).toMatchObject({
    kind: 'acknowledged',
    response: { id: 'resp_1' },
  });
});
