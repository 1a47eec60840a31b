// A provider that wants to fill a worker's memory, to keep a job from ending, or to be followed into the network.
import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { withBoundEvents } from '../../src/provider/answer-body.ts';
import { startFrontDoor } from '../support/front-door.ts';
import { startHarness } from '../support/harness.ts';
import { mostMemory } from '../support/memory.ts';
import { answer, startUpstream } from '../support/upstream.ts';

const wish = { model: 'm', input: 'x' };
const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

/** Writes the same again and again until the other end has enough. */
function flood(response: ServerResponse, text: string): void {
  const more = () => {
    while (!response.destroyed && response.write(text));
  };
  response.writeHead(200, { 'content-type': 'text/event-stream' }).on('drain', more);
  more();
}

test('I9: a stream that never tells its id is left after a megabyte', { timeout: 30_000 }, async () => {
  const padded = `data: {"type":"response.queued","sequence_number":0,"pad":"${'x'.repeat(3000)}"}\n\n`;
  const upstreamUrl = await startUpstream((call, _body, response) =>
    call.method === 'POST' ? flood(response, padded) : answer(response, 404, {}),
  );
  const { producer } = await startHarness({ upstreamUrl });
  const grown = await mostMemory(async () => {
    const { id } = await producer.enqueue({ ...wish, stream: true });
    expect(await producer.wait(id)).toMatchObject({ status: 'failed', error: { code: 'launch_unknown' } });
    expect((await producer.get(id))?.launches).toMatchObject([{ code: 'stream_without_id' }]);
  });
  expect(grown).toBeLessThan(200);
});

test.for([
  ['one line', 'x'.repeat(64_000), 64_000_001],
  ['many short lines', 'data: x\n', 80_001],
  ['lines that end in another way', 'data: x\r', 80_001],
] as const)('I9: an event of %s without an end breaks its stream', async ([, piece, mostBytes]) => {
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += piece.length;
      controller.enqueue(new TextEncoder().encode(piece));
    },
  });
  const read = async () => {
    for await (const _ of withBoundEvents(new Response(body)).body ?? []);
  };
  await expect(read()).rejects.toThrow('no end');
  expect(sent).toBeLessThan(mostBytes + 1_000_000);
});

test.for([
  ['comments', ': still there\n\n'],
  ['empty lines', '\n'],
  ['events that are none of a response', 'data: {}\n\n'],
] as const)('I9, I10: a stream that sends nothing but %s is left, and its response is polled', async ([, piece]) => {
  const created = { id: 'resp_1', status: 'in_progress', object: 'response' };
  const first = `data: ${JSON.stringify({ type: 'response.created', sequence_number: 0, response: created })}\n\n`;
  let sent = 0;
  const upstreamUrl = await startUpstream((call, _body, response) => {
    if (call.method !== 'POST' && !call.url?.includes('stream=true'))
      return answer(response, 200, { ...created, status: 'completed', output: [] });
    if (call.method === 'POST') response.write(first);
    const more = () => {
      while (!response.destroyed && response.write(piece.repeat(1000))) sent += piece.length * 1000;
    };
    response.on('drain', more);
    more();
  });
  const { producer, happened } = await startHarness({ upstreamUrl });
  const { id } = await producer.enqueue({ ...wish, stream: true });
  await happened('stream_broken');
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  expect(sent).toBeLessThan(20_000_000);
});

test('comments between events keep a stream open for as long as there are events', async () => {
  const text = `${': still there\n\n'.repeat(1000)}data: 1\n\n`.repeat(200);
  const body = new Response(text).body as ReadableStream<Uint8Array>;
  expect(await withBoundEvents(new Response(body)).text()).toBe(text);
});

test('events that end are none of it, however they are cut into pieces', async () => {
  const text = 'data: 1\n\ndata: 2\r\n\r\ndata: 3\r\r'.repeat(20_000);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < text.length; at += 1013)
        controller.enqueue(new TextEncoder().encode(text.slice(at, at + 1013)));
      controller.close();
    },
  });
  expect(await withBoundEvents(new Response(body)).text()).toBe(text);
});

test.for([
  [
    'in its metadata',
    `{"id":"resp_1","status":"completed","metadata":{"headstone":"x","deep":${deep(100_000)}},"output":[]}`,
  ],
  ['in its output', `{"id":"resp_1","status":"completed","output":[${deep(100_000)}]}`],
  [
    'of a failed run',
    `{"id":"resp_1","status":"failed","output":[],"error":{"code":"x","message":"y"},"odd":${deep(100_000)}}`,
  ],
] as const)('a result without a bottom %s ends its job, which can be read by everybody', async ([, result]) => {
  const upstreamUrl = await startUpstream((call, _body, response) => {
    if (call.method === 'POST') return answer(response, 200, { id: 'resp_1', object: 'response', status: 'queued' });
    response.writeHead(200, { 'content-type': 'application/json' }).end(result);
  });
  const { producer, server, client } = await startFrontDoor({ upstreamUrl });
  const { id } = await producer.enqueue(wish);
  expect(await producer.wait(id)).toMatchObject({ status: 'failed' });
  expect((await fetch(`${server.url}/jobs/${id}`)).status).toBe(200);
  expect((await client.responses.retrieve(id)).status).toBe('failed');
  const types = [];
  for await (const { type } of producer.subscribe(id)) types.push(type);
  expect(types.at(-1)).toBe('response.failed');
});

test('no redirect leads to another host', async () => {
  const heard: string[] = [];
  const inside = await startUpstream((call, _body, response) => {
    heard.push(`${call.method} ${call.url}`);
    answer(response, 200, { id: 'resp_inside', object: 'response', status: 'completed', output: [] });
  });
  const location = `${inside.replace('127.0.0.1', 'localhost')}/internal`;
  for (const status of [302, 307]) {
    const upstreamUrl = await startUpstream((_call, _body, response) => answer(response, status, {}, { location }));
    const { producer } = await startHarness({ upstreamUrl });
    const { id } = await producer.enqueue(wish);
    expect(await producer.wait(id)).toMatchObject({ status: 'failed' });
  }
  expect(heard).toEqual([]);
});
