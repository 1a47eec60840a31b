import type { OpenAI } from 'openai';
import { expect, test, vi } from 'vitest';
import { HeadstoneError } from '../../src/shared/contract/errors.ts';
import { startFrontDoor } from '../support/front-door.ts';
import { scripted } from '../support/harness.ts';

const request = (script: object = {}, input?: string) => ({
  ...scripted({ duration_ms: 900, deltas: 12, ...script }, input),
  background: true as const,
  stream: true as const,
});

test('the official client: plain iteration and stream() of a new response, and of one that is there', async () => {
  const { client } = await startFrontDoor();
  const types: string[] = [];
  let id = '';
  for await (const event of await client.responses.create(request())) {
    types.push(event.type);
    if (event.type === 'response.created') id = event.response.id;
  }
  expect(types[0]).toBe('response.created');
  expect(types.at(-1)).toBe('response.completed');
  const { stream, ...rest } = request();
  const runner = client.responses.stream(rest);
  const final = await runner.finalResponse();
  expect(final).toMatchObject({ status: 'completed', output_text: expect.stringContaining('Write about tides') });
  const replay = client.responses.stream({ response_id: id });
  expect((await replay.finalResponse()).id).toBe(id);
  const rest5 = [];
  for await (const event of await client.responses.retrieve(id, { stream: true, starting_after: 5 }))
    rest5.push(event.sequence_number);
  expect(rest5[0]).toBe(6);
  expect((await client.responses.retrieve(id)).status).toBe('completed');
});

test('I1: a cancel ends the official client’s stream cleanly, in plain iteration and in stream()', async () => {
  const { client, happened } = await startFrontDoor();
  let last: OpenAI.Responses.ResponseStreamEvent | undefined;
  let count = 0;
  let text = '';
  for await (const event of await client.responses.create(request({ flip_after_ms: 100 }))) {
    last = event;
    count += 1;
    if (event.type === 'response.output_text.delta') text += event.delta;
    if (count === 6) {
      const { data } = (await client.get('/jobs?limit=1')) as { data: { id: string }[] };
      await client.responses.cancel(data[0]?.id ?? '');
      text = '';
    }
  }
  expect(last).toMatchObject({ type: 'response.failed', response: { status: 'cancelled', output: [] } });
  await happened('tokens_wasted');

  const { stream, ...rest } = request({ flip_after_ms: 100 }, 'Another one');
  const runner = client.responses.stream(rest);
  let cancelling: Promise<unknown> | undefined;
  runner.once('event', event => {
    if (event.type === 'response.created') cancelling = client.responses.cancel(event.response.id);
  });
  expect((await runner.finalResponse()).status).toBe('cancelled');
  await cancelling;
  expect(text.length).toBeLessThan(60);
});

test('a stream that its client leaves alone goes on for the others, and the job with it', async () => {
  const { client, producer } = await startFrontDoor();
  let id = '';
  for await (const event of await client.responses.create(request())) {
    if (event.type === 'response.created') id = event.response.id;
    if (event.type === 'response.output_text.delta') break;
  }
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
});

test('a hundred readers of one job hear the same', async () => {
  const { client } = await startFrontDoor();
  const created = await client.responses.create(request({ duration_ms: 2500, deltas: 100 }, 'For all'));
  let jobId = '';
  for await (const event of created) {
    if (event.type === 'response.created') jobId = event.response.id;
    if (event.type === 'response.output_text.delta') break;
  }
  const read = async () => {
    let text = '';
    for await (const event of await client.responses.retrieve(jobId, { stream: true }))
      if (event.type === 'response.output_text.delta') text += event.delta;
    return text;
  };
  const texts = new Set(await Promise.all(Array.from({ length: 100 }, read)));
  expect(texts.size).toBe(1);
  expect([...texts][0]).toContain('For all');
});

test('what cannot be streamed is said by a status, and not in the middle', async () => {
  const { client } = await startFrontDoor({ workers: 0 });
  await expect(client.responses.retrieve('resp_nobody', { stream: true })).rejects.toMatchObject({ status: 404 });
  const bad = client.responses.create({ ...request(), input: '' });
  await expect(bad).rejects.toMatchObject({ status: 400, param: 'input' });
});

test('a stream that fails before its first event says why, as any other call does', async () => {
  const { server, producer } = await startFrontDoor();
  const { id } = await producer.enqueue(scripted());
  await producer.wait(id);
  const { store } = producer;
  const failing = async (error: Error) => {
    const lane = await store.laneOf(id);
    // It fails once the route has said that it sends events.
    vi.spyOn(lane.decisions, 'listen').mockImplementationOnce(async () => {
      vi.spyOn(lane, 'job').mockRejectedValueOnce(error);
      return () => {};
    });
    const answer = await fetch(`${server.url}/v1/responses/${id}?stream=true`);
    return { status: answer.status, type: answer.headers.get('content-type'), body: await answer.json() };
  };
  const away = new HeadstoneError('store_unreachable', 'Redis is away.');
  expect(await failing(away)).toMatchObject({
    status: 503,
    type: 'application/json; charset=utf-8',
    body: { error: { code: 'store_unreachable' } },
  });
  expect(await failing(new Error('odd'))).toMatchObject({
    status: 500,
    body: { error: { type: 'server_error', message: expect.stringContaining('Its log has more') } },
  });
});
