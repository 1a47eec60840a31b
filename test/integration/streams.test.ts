import { expect, onTestFinished, test } from 'vitest';
import { createProducer } from '../../src/producer/create-producer.ts';
import type { Producer } from '../../src/producer/producer.ts';
import type { StreamEvent } from '../../src/shared/contract/stream.ts';
import type { Script } from '../../src/simulator/script.ts';
import { scripted, startHarness } from '../support/harness.ts';
import { observed } from '../support/store.ts';

const streamed = (script: Partial<Script> = {}, input?: string) => ({ ...scripted(script, input), stream: true });

async function all(producer: Producer, id: string, after?: number): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  for await (const event of producer.subscribe(id, after === undefined ? {} : { after })) events.push(event);
  return events;
}

const textOf = (events: StreamEvent[]) =>
  events.map(event => (event.type === 'response.output_text.delta' ? String(event.delta) : '')).join('');
const typesOf = (events: StreamEvent[]) => events.map(({ type }) => type.replace('response.', ''));
const numbersOf = (events: StreamEvent[]) => events.map(event => event.sequence_number);
const isRising = (numbers: number[]) =>
  numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0));

test('a streamed job: every event in order under our id, the same for a late reader and for one in the middle', async () => {
  const { producer, simulatorLedger, happened } = await startHarness();
  const { id } = await producer.enqueue(streamed({ duration_ms: 900, deltas: 8, odd_events: true, keepalives: 2 }));
  const live = await all(producer, id);
  expect(typesOf(live)).toEqual([
    'created',
    'in_progress',
    'pondering',
    'output_item.added',
    'content_part.added',
    ...Array.from({ length: 8 }, () => 'output_text.delta'),
    'output_text.done',
    'content_part.done',
    'output_item.done',
    'completed',
  ]);
  expect(isRising(numbersOf(live))).toBe(true);
  expect(textOf(live)).toContain('Write about tides');
  expect(live.at(-1)).toMatchObject({
    response: { id, status: 'completed', usage: { total_tokens: expect.any(Number) } },
  });
  for (const event of live) expect((event.response as { id: string } | undefined)?.id ?? id).toBe(id);
  expect(JSON.stringify(live)).not.toContain('"headstone":"');
  expect(await all(producer, id)).toEqual(live);
  expect(await all(producer, id, 6)).toEqual(live.filter(event => event.sequence_number > 6));
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  // The last event of the stream decided the job, so no GET was needed.
  await happened('stream_ended');
  expect((await simulatorLedger()).responses[0]?.reads).toBe(0);
  const [row] = await producer.ledger();
  expect(row).toMatchObject({ kind: 'used', status: 'final' });
});

test.for([
  ['the connection breaks in the middle', { drop_after: 9, drop: 'reset' as const }],
  ['the stream ends without a last event', { drop_after: 9, drop: 'end' as const }],
  ['it breaks three times', { drop_after: 5, drop: 'reset' as const, drops: 3 }],
] as const)('I6: %s: it is taken up where it ended, without a gap, a double or a second launch', async ([, fault]) => {
  const { producer, simulatorLedger } = await startHarness();
  const { id } = await producer.enqueue(streamed({ duration_ms: 900, deltas: 20, ...fault }));
  const events = await all(producer, id);
  expect(events.at(-1)?.type).toBe('response.completed');
  expect(numbersOf(events)).toEqual(events.map((_, number) => number));
  expect(textOf(events)).toBe('Here is what there is to say about: Write about tides');
  expect((await simulatorLedger()).creates).toBe(1);
});

test('where the provider plays nothing again, the job is polled and the rest of the text comes from the result', async () => {
  const { producer, happened, simulatorLedger } = await startHarness();
  const script = { duration_ms: 900, deltas: 20, drop_after: 9, drop: 'end' as const, replay: false };
  const { id } = await producer.enqueue(streamed(script));
  const events = await all(producer, id);
  await happened('stream_given_up');
  expect(events.at(-1)).toMatchObject({ type: 'response.completed', response: { id } });
  expect(isRising(numbersOf(events))).toBe(true);
  expect(textOf(events)).toBe('Here is what there is to say about: Write about tides');
  expect(await all(producer, id)).toEqual(events);
  expect((await simulatorLedger()).creates).toBe(1);
});

test.for(['failed', 'cancelled'] as const)(
  'a provider that says %s in the stream after our cancel changes nothing',
  async stream_cancel => {
    const { producer, happened } = await startHarness();
    const { id } = await producer.enqueue(streamed({ duration_ms: 900, stream_cancel, flip_after_ms: 100 }));
    const reading = all(producer, id);
    await happened('stream_opened');
    await producer.cancel(id);
    expect(typesOf(await reading).at(-1)).toBe('failed');
    expect((await producer.get(id))?.tombstone).toMatchObject({ cause: 'cancelled', actor: null });
    await happened('tokens_wasted');
  },
);

test('a job that was never a stream gives its result as events when it has ended', async () => {
  const { producer } = await startHarness();
  const { id } = await producer.enqueue(scripted({ duration_ms: 300 }));
  const events = await all(producer, id);
  expect(typesOf(events)).toEqual([
    'created',
    'output_item.added',
    'content_part.added',
    'output_text.delta',
    'output_text.done',
    'content_part.done',
    'output_item.done',
    'completed',
  ]);
  expect(textOf(events)).toContain('Write about tides');
  const failed = await producer.enqueue(scripted({ end: 'failed' }));
  expect((await all(producer, failed.id)).at(-1)).toMatchObject({
    type: 'response.failed',
    response: { status: 'failed' },
  });
});

test('ten thousand events come in order, in at most twenty writes a second', async () => {
  const { producer, redis, prefixOf } = await startHarness();
  const startedAt = performance.now();
  const { id } = await producer.enqueue(streamed({ duration_ms: 2500, deltas: 10_000 }));
  const events = await all(producer, id);
  const seconds = (performance.now() - startedAt) / 1000;
  expect(numbersOf(events)).toEqual(events.map((_, number) => number));
  expect(events.length).toBeGreaterThan(10_000);
  expect(textOf(events)).toMatch(/ 9999$/);
  expect(await redis.xlen(`${await prefixOf(id)}:events:${id}`)).toBeLessThan(20 * seconds + 50);
});

test('I9: as many streams as the setting allows, and the next job waits its turn', async () => {
  const { producer, events } = await startHarness({
    env: { HEADSTONE_CONCURRENCY: 'launch=10,poll=50,settle=10,stream=2' },
  });
  const jobs = Array.from({ length: 5 }, (_, n) => ({ request: streamed({ duration_ms: 500 }, `Prompt ${n}`) }));
  const ids = (await producer.enqueueMany(jobs)).map(({ id }) => id);
  let open = 0;
  let most = 0;
  await Promise.all(ids.map(id => producer.wait(id)));
  for (const { name } of events) {
    if (name === 'stream_opened') open += 1;
    if (name === 'stream_ended') open -= 1;
    most = Math.max(most, open);
  }
  expect(most).toBeLessThanOrEqual(2);
});

test('a reader that has asked nothing before follows a job too', async () => {
  const { producer, redisUrl, prefix, configuration } = await startHarness();
  const { id } = await producer.enqueue(streamed({ duration_ms: 500 }));
  const other = createProducer({ connection: redisUrl, prefix, configuration });
  onTestFinished(() => other.close());
  expect((await all(other, id)).at(-1)?.type).toBe('response.completed');
});

test('a silent stream is checked by a GET, which decides', async () => {
  const { producer, simulatorLedger } = await startHarness({ env: { HEADSTONE_STREAM_SILENCE_MS: '300' } });
  const { id } = await producer.enqueue(streamed({ duration_ms: 900, deltas: 20, drop_after: 6, drop: 'silence' }));
  const events = await all(producer, id);
  expect(events.at(-1)?.type).toBe('response.completed');
  expect(textOf(events)).toBe('Here is what there is to say about: Write about tides');
  expect((await simulatorLedger()).responses[0]?.reads).toBeGreaterThan(0);
});

test('I3, I4: a streamed create without an id is unknown, and a cancel before the id still finds its response', async () => {
  const { producer, happened } = await startHarness();
  const lost = await producer.enqueue(streamed({ create: 'reset' }));
  expect(await producer.wait(lost.id)).toMatchObject({ status: 'failed', error: { code: 'launch_unknown' } });
  const slow = await producer.enqueue(streamed({ keepalives: 8, keepalive_ms: 100, duration_ms: 300 }, 'Another'));
  await happened('launch_intended', ({ job_id }) => job_id === slow.id);
  await producer.cancel(slow.id);
  const { cause } = await happened('tokens_wasted', ({ job_id }) => job_id === slow.id);
  expect(cause).toBe('cancelled');
});

test('a slow reader is behind, keeps nobody up, and hears nothing of what was refused meanwhile', async () => {
  const { producer } = await startHarness();
  const { id } = await producer.enqueue(streamed({ duration_ms: 1500, deltas: 300 }));
  const slow = producer.subscribe(id);
  expect((await slow.next()).value?.type).toBe('response.created');
  const fast = await all(producer, id);
  expect(fast.length).toBeGreaterThan(300);
  expect((await slow.next()).value?.sequence_number).toBe(1);
  await slow.return();

  const refused = await producer.enqueue(streamed({ duration_ms: 3000, deltas: 300 }, 'Refused'));
  const reader = producer.subscribe(refused.id);
  for (let heard = 0; heard < 20; heard += 1) await reader.next();
  await producer.cancel(refused.id);
  const next = await reader.next();
  expect(next.value).toMatchObject({ type: 'response.failed', response: { status: 'cancelled' } });
  expect((await reader.next()).done).toBe(true);
});

test('I6: a launch that is long without an id, and whose worker waits for it, is not given up by the patrol', async () => {
  const { producer, happened, redis, events, prefixOf } = await startHarness();
  const { id } = await producer.enqueue(streamed({ keepalives: 80, keepalive_ms: 100, duration_ms: 300 }));
  await happened('launch_intended');
  // Longer than a create may take plus two locks, after which a silent intent used to be taken for dead.
  const age = async () => Date.now() - Number(await redis.hget(`${await prefixOf(id)}:job:${id}`, 'intended_at'));
  await expect.poll(age, { timeout: 10_000 }).toBeGreaterThan(6000);
  await redis.zadd(`${await prefixOf(id)}:open`, 0, id);
  await happened('launch_acknowledged');
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  expect(events.map(({ name }) => name)).not.toContain('launch_unknown');
});

test('I2: events go on across two runs, and a cancel between them still has its last event', async () => {
  const { producer } = await startHarness({ workers: 0 });
  const { store } = producer;
  const run = async (id: string, responseId: string) => {
    const intent = await store.run('intend', { id, token: responseId, max_in_flight: 10 });
    if (intent.reply !== 'intended') throw new Error(intent.reply);
    await store.run('acknowledge', {
      id,
      epoch: intent.epoch,
      response_id: responseId,
      first_poll_ms: 60_000,
      observation: observed('queued'),
    });
    const attached = await store.run('attach_stream', {
      id,
      response_id: responseId,
      token: responseId,
      live_ms: 6000,
    });
    if (attached.reply !== 'attached') throw new Error(attached.reply);
    return attached;
  };
  const say = async (id: string, token: string, after: number, types: string[]) => {
    const events = types.map((type, index) => ({ type, sequence_number: after + 1 + index }));
    const given = {
      id,
      token,
      after,
      last: after + types.length,
      item_ids: [],
      are_theirs: true,
      has_output: false,
      most_batches: 10,
      most_bytes: 9999,
    };
    expect((await store.run('append_events', given, JSON.stringify(events))).reply).toBe('appended');
  };
  for (const isCancelledBetween of [true, false]) {
    const { id } = await producer.enqueue({ ...scripted(), stream: true }, { attempts: 2 });
    expect(await run(id, `${id}-1`)).toMatchObject({ after: -1, base: 0 });
    await say(id, `${id}-1`, -1, ['response.created', 'response.queued', 'response.in_progress']);
    const events = producer.subscribe(id);
    for (const number of [0, 1, 2]) expect((await events.next()).value).toMatchObject({ sequence_number: number });
    await store.run('rerun', { id, code: 'server_error', response_id: `${id}-1`, counts: true, due_in_ms: 0 });
    if (!isCancelledBetween) {
      expect(await run(id, `${id}-2`)).toMatchObject({ after: 2, base: 3 });
      await say(id, `${id}-2`, 2, ['response.created', 'response.in_progress', 'response.output_item.added']);
      expect((await events.next()).value).toMatchObject({ type: 'response.in_progress', sequence_number: 4 });
      expect((await events.next()).value).toMatchObject({ type: 'response.output_item.added', sequence_number: 5 });
    }
    await producer.cancel(id);
    expect((await events.next()).value).toMatchObject({ type: 'response.failed', response: { status: 'cancelled' } });
    expect((await events.next()).done).toBe(true);
  }
});
