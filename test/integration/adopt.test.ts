import { OpenAI } from 'openai';
import { expect, test } from 'vitest';
import type { Script } from '../../src/simulator/script.ts';
import { type Harness, scripted, startHarness } from '../support/harness.ts';
import { answer, startUpstream } from '../support/upstream.ts';

/** As the app's own code does it, without us. */
async function createElsewhere({ simulator }: Harness, script: Partial<Script> = {}): Promise<string> {
  const client = new OpenAI({ baseURL: simulator.url, apiKey: 'any', maxRetries: 0 });
  const { id } = await client.responses.create({ ...scripted(script), background: true });
  return id;
}

test('I1, I3: an adopted response is a job: its cancel sticks through the flip, and is booked to the token', async () => {
  const harness = await startHarness();
  const { producer, happened, simulatorLedger } = harness;
  const responseId = await createElsewhere(harness, { duration_ms: 500, flip_after_ms: 200 });
  const { id, status } = await producer.adopt(responseId, { tenant: 'harbour', tags: ['old'] });
  expect({ id, status }).toEqual({ id: responseId, status: 'running' });
  expect((await producer.cancel(id, { reason: 'wrong prompt', actor: 'alice' })).verdict).toBe('cancelled');
  const line = await happened('tokens_wasted');
  const [truth] = (await simulatorLedger()).responses;
  expect(line).toMatchObject({ job_id: id, cause: 'cancelled', total_tokens: truth?.billed?.total_tokens });
  expect(line.model).toBe('gpt-5.5');
  expect(await producer.get(id)).toMatchObject({
    status: 'cancelled',
    response: null,
    tenant: 'harbour',
    tags: ['old'],
  });
  const { data } = await producer.waste({ groupBy: 'model' });
  expect(data.filter(sum => sum.responses !== 0)).toMatchObject([{ key: 'gpt-5.5', responses: 1 }]);
  expect((await simulatorLedger()).creates).toBe(1);
});

test('any moment of its life: running, done, failed; twice harmlessly; and its result under an id of ours', async () => {
  const harness = await startHarness();
  const { producer } = harness;
  const running = await createElsewhere(harness, { duration_ms: 400 });
  expect(await producer.adopt(running, { id: 'mine' })).toEqual({ id: 'mine', status: 'running' });
  expect(await producer.adopt(running, { id: 'mine' })).toMatchObject({ id: 'mine' });
  expect(await producer.wait('mine')).toMatchObject({ status: 'completed', response: { id: running } });
  expect(await producer.adopt(running, { id: 'mine' })).toEqual({ id: 'mine', status: 'completed' });
  const [row] = await producer.ledger();
  expect(row).toMatchObject({ kind: 'used', status: 'final', job_id: 'mine', model: 'gpt-5.5' });
  expect((await producer.get('mine'))?.model).toBe('gpt-5.5');

  const done = await createElsewhere(harness, { duration_ms: 0 });
  await expect.poll(async () => (await producer.adopt(done)).status).toBe('completed');
  const failed = await createElsewhere(harness, { duration_ms: 0, end: 'rate_limited' });
  await producer.adopt(failed);
  expect(await producer.wait(failed)).toMatchObject({ status: 'failed', error: { code: 'rate_limit_exceeded' } });
  expect((await producer.ledger()).map(({ kind }) => kind)).toEqual(['used', 'used', 'wasted']);
});

test('I12: a response belongs to one job of one tenant', async () => {
  const { producer } = await startHarness({ workers: 0 });
  await producer.adopt('resp_a', { tenant: 'harbour' });
  await expect(producer.adopt('resp_a', { tenant: 'museum' })).rejects.toMatchObject({ code: 'id_taken' });
  await expect(producer.adopt('resp_a', { tenant: 'harbour', id: 'other' })).rejects.toMatchObject({
    code: 'id_conflict',
  });
  await expect(producer.adopt('resp_b', { tenant: 'museum', id: 'resp_a' })).rejects.toMatchObject({
    code: 'id_taken',
  });
  await expect(producer.adopt('an id with spaces')).rejects.toMatchObject({ code: 'invalid_request' });
  await expect(producer.adopt('resp.with.dots')).rejects.toThrow('one of your own');
});

test('a 404 that stays ends an adopted job as response_not_found', async () => {
  const upstreamUrl = await startUpstream((_request, _body, response) =>
    answer(response, 404, { error: { message: 'Not found.', type: 'invalid_request_error', code: null } }),
  );
  const { producer, redis, prefix, happened } = await startHarness({ upstreamUrl });
  const { id } = await producer.adopt('resp_nobody');
  await happened('poll_failed');
  // The 404 has been seen for a minute: say that it is over.
  await redis.hset(`${prefix}:job:${id}`, 'missing_since', Date.now() - 61_000);
  expect(await producer.wait(id)).toMatchObject({ status: 'failed', error: { code: 'response_not_found' } });
});
