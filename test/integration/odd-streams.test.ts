import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import type { StreamEvent } from '../../src/shared/contract/stream.ts';
import { loadConfiguration } from '../../src/shared/runtime/configuration.ts';
import { Telemetry } from '../../src/shared/runtime/telemetry.ts';
import { readAllBatches } from '../../src/shared/store/events.ts';
import { StreamWriter } from '../../src/worker/stream-writer.ts';
import { scripted, startHarness } from '../support/harness.ts';
import { startProxy } from '../support/proxy.ts';
import { acceptJob, openStores, relaunch } from '../support/store.ts';
import { answer, startUpstream } from '../support/upstream.ts';

const ID = 'resp_upstream';
const TEXT = 'Tides rise.';
const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed' };
const body = (status: string) => ({
  id: ID,
  object: 'response',
  status,
  model: 'gpt-5.5',
  output: status === 'completed' ? [{ ...item, content: [{ type: 'output_text', text: TEXT, annotations: [] }] }] : [],
  usage: status === 'completed' ? { input_tokens: 5, output_tokens: 7, total_tokens: 12 } : null,
});
const created = { type: 'response.created', sequence_number: 0, response: body('queued') };
const delta = (text: string, sequence_number?: number) => ({
  type: 'response.output_text.delta',
  item_id: 'msg_1',
  output_index: 0,
  content_index: 0,
  delta: text,
  ...(sequence_number === undefined ? {} : { sequence_number }),
});

interface Provider {
  /** What a create sends before its connection ends. */
  first: (object | string)[];
  /** What each further stream sends. Null makes it a 500. */
  again: (object | string)[] | null;
  /** Whether the stream's connection stays open afterwards. */
  stays?: boolean;
  json?: boolean;
}

/** A provider whose GET says that the response has completed, whatever its streams say. */
async function startOdd({ first, again, stays = false, json = false }: Provider) {
  const calls = { creates: 0, gets: 0, resumes: 0 };
  const send = (response: ServerResponse, events: (object | string)[]) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of events)
      response.write(typeof event === 'string' ? event : `data: ${JSON.stringify(event)}\n\n`);
    if (!stays) response.end();
  };
  const upstreamUrl = await startUpstream((request, _body, response) => {
    if (request.method === 'POST') {
      calls.creates += 1;
      return json ? answer(response, 200, body('queued')) : send(response, first);
    }
    if (!request.url?.includes('stream=true')) {
      calls.gets += 1;
      return answer(response, 200, body('completed'));
    }
    calls.resumes += 1;
    return again ? send(response, again) : answer(response, 500, { error: { message: 'no', type: 'server_error' } });
  });
  const harness = await startHarness({ upstreamUrl, env: { HEADSTONE_STREAM_SILENCE_MS: '400' } });
  const { id } = await harness.producer.enqueue({ model: 'gpt-5.5', input: 'x', stream: true });
  const events: StreamEvent[] = [];
  for await (const event of harness.producer.subscribe(id)) events.push(event);
  const text = events.map(event => (event.type === 'response.output_text.delta' ? event.delta : '')).join('');
  return { ...harness, id, calls, events, text };
}

const dropped = [created, delta('Tides ', 1)];

test.for([
  ['every stream ends without a last event', { first: dropped, again: [] }],
  [
    'the provider sends an error event, again and again',
    { first: dropped, again: ['event: error\ndata: {"message":"x"}\n\n'] },
  ],
  ['the last event cannot be read', { first: dropped, again: [{ type: 'response.completed', sequence_number: 2 }] }],
  ['a stream is never played again', { first: dropped, again: null }],
  ['only keepalives come', { first: [...dropped, { type: 'keepalive' }], again: [{ type: 'keepalive' }], stays: true }],
] as const)('I9, I10: %s: a GET decides, after few calls, and the text is told once', async ([, provider]) => {
  const { events, text, calls, producer, id } = await startOdd(provider as never);
  expect(events.at(-1)?.type).toBe('response.completed');
  expect(text).toBe(TEXT);
  expect(calls.gets).toBeGreaterThan(0);
  expect(calls.resumes).toBeLessThan(8);
  expect(calls.creates).toBe(1);
  expect((await producer.get(id))?.ledger).toMatchObject([{ kind: 'used', usage: { total_tokens: 12 } }]);
});

test('I3: a provider that answers a streamed create with JSON gives its id all the same', async () => {
  const { events, text, calls } = await startOdd({ first: [], again: null, json: true });
  expect(events.at(-1)?.type).toBe('response.completed');
  expect(text).toBe(TEXT);
  expect(calls.creates).toBe(1);
});

test('events without numbers are counted by us, and are not taken up after a break', async () => {
  const { sequence_number, ...first } = created;
  const { text, calls } = await startOdd({ first: [first, delta('Tides ')], again: [first, delta('Tides ')] });
  expect(text).toBe(TEXT);
  expect(calls.resumes).toBe(0);
});

test('an event without a number among numbered ones takes nobody’s place, and an odd field costs no event', async () => {
  const odd = [
    created,
    delta('Tides ', 1),
    { type: 'response.ping' },
    { ...delta('rise', 2), response: null },
    delta('.', 3),
  ];
  const last = { type: 'response.completed', sequence_number: 4, response: body('completed') };
  const { events, text } = await startOdd({ first: [...odd, last], again: null });
  expect(text).toBe(TEXT);
  expect(events.map(event => event.sequence_number)).toEqual([0, 1, 2, 3, 4]);
});

test('I3, I6: a worker that is asked to stop waits for the id of a streamed create, and the next one goes on with it', async () => {
  const proxy = await startProxy();
  const { producer, worker, simulatorLedger, startWorker, events } = await startHarness({
    env: { HEADSTONE_LAUNCH_TIMEOUT_MS: '500' },
    redisUrl: proxy.redisUrl,
  });
  // For longer than a worker waits for anything else, only keepalives come and no id.
  const script = { duration_ms: 20_000, keepalives: 45, keepalive_ms: 100 };
  const { id } = await producer.enqueue({ ...scripted(script), stream: true });
  await expect.poll(async () => (await simulatorLedger()).creates, { interval: 10 }).toBe(1);
  expect((await producer.get(id))?.launches).toMatchObject([{ state: 'intended' }]);
  // Longer than the interval at which the worker checks whether it is done, so that one check falls into the write of the id.
  proxy.slow(300);
  await worker.close();
  proxy.slow(0);
  expect((await producer.get(id))?.launches).toMatchObject([{ state: 'acknowledged' }]);
  expect(events.at(-1)).toMatchObject({ name: 'process_stopped', fields: { orderly: true } });
  await startWorker();
  await expect.poll(() => events.filter(({ name }) => name === 'stream_opened').length, { timeout: 10_000 }).toBe(2);
  expect((await simulatorLedger()).creates).toBe(1);
});

test('I10: a streamed create that is answered by a body without an end is given up like any other', async () => {
  const upstreamUrl = await startUpstream((_call, _body, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"id":');
  });
  const { producer, worker, happened } = await startHarness({
    upstreamUrl,
    env: { HEADSTONE_LAUNCH_TIMEOUT_MS: '500' },
  });
  const { id } = await producer.enqueue({ model: 'gpt-5.5', input: 'x', stream: true });
  expect(await happened('launch_unknown')).toMatchObject({ job_id: id });
  await worker.close();
});

test('I7: a follower that wakes behind another one writes nothing of what its readers have', async () => {
  const { store } = await openStores();
  await acceptJob(store, 'job', { stream: true });
  await relaunch(store, 'job', 'resp');
  const never = new AbortController().signal;
  const { configuration } = loadConfiguration({});
  const context = { store, telemetry: new Telemetry(), configuration, stopping: never, hopeless: never };
  const job = { id: 'job', model: 'm', responseId: 'resp', include: [], own: [], completionWindow: undefined };
  const event = (number: number) => ({
    type: number === 0 ? 'response.created' : 'response.output_text.delta',
    delta: `word ${number}`,
    sequence_number: number,
  });
  const frozenOrDead = () => store.ask(redis => redis.zadd(store.keys.streams(), store.now() - 7000, 'job'));
  const write = async (writer: StreamWriter, ...numbers: number[]) => {
    for (const number of numbers) writer.add(event(number));
    return await writer.flush();
  };
  const [first, second] = [new StreamWriter(job, context as never), new StreamWriter(job, context as never)];
  await first.begin();
  expect(await write(first, 0, 1, 2)).toBe('written');
  await frozenOrDead();
  await second.begin();
  expect(await write(second, 3, 4, 5)).toBe('written');
  await frozenOrDead();
  expect(await write(first, 3)).toBe('lost');
  const stored = (await readAllBatches(store, 'job')).flatMap(({ events }) =>
    events.map(({ sequence_number: n }) => n),
  );
  expect(stored).toEqual([0, 1, 2, 3, 4, 5]);
  // Whoever follows the stream next finds it let go.
  expect(await store.ask(redis => redis.hget(store.keys.job('job'), 'stream_token'))).toBeNull();
});
