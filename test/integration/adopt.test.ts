import { OpenAI } from 'openai';
import { expect, test } from 'vitest';
import type { Script } from '../../src/simulator/script.ts';
import { type Harness, scripted, startHarness } from '../support/harness.ts';
import { acceptJob, intendJob, observed, openStores, rowsOf, wasteOf } from '../support/store.ts';
import { answer, startUpstream } from '../support/upstream.ts';

/** Creates a response as the app's own code does, without Headstone. */
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
  await expect(producer.adopt('resp.with.dots')).rejects.toThrow('Set the option id');
});

test('a 404 that stays ends an adopted job as response_not_found', async () => {
  const upstreamUrl = await startUpstream((_request, _body, response) =>
    answer(response, 404, { error: { message: 'Not found.', type: 'invalid_request_error', code: null } }),
  );
  const { producer, redis, prefixOf, happened } = await startHarness({ upstreamUrl });
  const { id } = await producer.adopt('resp_nobody');
  await happened('poll_failed');
  // The 404 has to be seen for a minute, which this write makes pass.
  await redis.hset(`${await prefixOf(id)}:job:${id}`, 'missing_since', Date.now() - 61_000);
  expect(await producer.wait(id)).toMatchObject({ status: 'failed', error: { code: 'response_not_found' } });
  // The 404 is believed: the response is no longer followed, and its cost stays unknown.
  await expect.poll(async () => (await producer.ledger())[0]?.status).toBe('unknown');
  expect(await happened('tokens_wasted')).toMatchObject({ response_id: 'resp_nobody', status: 'unknown' });
});

test('I1, I3: adopting the orphan of a cancelled job brings nothing back: it is that job’s waste', async () => {
  const { producer, happened, simulatorLedger } = await startHarness();
  const { id } = await producer.enqueue(
    scripted({ create: 'truncated', duration_ms: 300, flip_after_ms: 100, output_tokens: 900, input_tokens: 100 }),
  );
  await happened('launch_unknown');
  await producer.cancel(id, { reason: 'wrong prompt', actor: 'alice' });
  const [orphan] = (await simulatorLedger()).responses;
  await producer.adopt(orphan?.response_id ?? '', { id: 'found', tenant: 'museum' });
  expect(await producer.wait('found')).toMatchObject({
    status: 'failed',
    error: { code: 'response_of_another_job', message: expect.stringContaining('another job') },
  });
  const line = await happened('tokens_wasted');
  expect(line).toMatchObject({ job_id: id, cause: 'cancelled', actor: 'alice', tenant: 'default', model: 'gpt-5.5' });
  expect(line.total_tokens).toBe(1000);
  expect((await producer.get(id))?.launches).toMatchObject([{ state: 'acknowledged' }]);
  expect(await producer.ledger({ tenant: 'museum' })).toEqual([]);
  expect((await producer.waste({ groupBy: 'actor' })).data).toMatchObject([{ key: 'alice', responses: 1, pending: 0 }]);
});

test('I6: adopting the orphan of a launch that is still waited for gives it to its job, and nothing is launched again', async () => {
  const { producer, happened, simulatorLedger } = await startHarness({ env: { HEADSTONE_UNKNOWN_GRACE_MS: '20000' } });
  const { id } = await producer.enqueue(scripted({ create: 'truncated', create_times: 1, duration_ms: 300 }), {
    onUnknownLaunch: 'relaunch',
  });
  await happened('launch_unknown');
  const [orphan] = (await simulatorLedger()).responses;
  await producer.adopt(orphan?.response_id ?? '', { id: 'found' });
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  expect(await producer.wait('found')).toMatchObject({ status: 'failed', error: { code: 'response_of_another_job' } });
  expect((await simulatorLedger()).creates).toBe(1);
  expect(await producer.ledger()).toMatchObject([{ job_id: id, kind: 'used' }]);
});

test('I1, I3: an id that is adopted before its own launch has written it down goes to that launch’s job', async () => {
  const { store } = await openStores();
  await acceptJob(store, 'launched');
  const epoch = await intendJob(store, 'launched');
  const adopter = { id: 'adopter', tenant: 'default', tags: '[]', tag_list: [], model: 'unknown', deadline_ms: 60_000 };
  await store.run('adopt', { ...adopter, response_id: 'resp_x' });
  const reply = await store.run('acknowledge', {
    id: 'launched',
    epoch,
    response_id: 'resp_x',
    first_poll_ms: 10,
    observation: observed('queued'),
  });
  expect(reply.reply).toBe('running');
  expect(await store.job('adopter')).toMatchObject({ status: 'failed', ledger: [], response_id: null });
  await store.run('decide', { id: 'launched', status: 'cancelled', cause: 'cancelled', actor: 'alice' });
  await store.run('charge', { response_id: 'resp_x', observation: observed('completed', 1000) });
  expect(await rowsOf(store, {})).toMatchObject([
    { job_id: 'launched', kind: 'wasted', cause: 'cancelled', status: 'final' },
  ]);
  expect((await wasteOf(store, { groupBy: 'actor' })).totals).toMatchObject({
    responses: 1,
    pending: 0,
    total_tokens: 1000,
  });
});

test('the first look tells the model of a response that still runs, and an Azure deployment is priced by its name', async () => {
  const harness = await startHarness({ env: { HEADSTONE_PRICES: '{"deployments":{"my-azure":"gpt-5.5"}}' } });
  const { producer } = harness;
  const client = new OpenAI({ baseURL: harness.simulator.url, apiKey: 'any', maxRetries: 0 });
  const wish = scripted({ duration_ms: 1500, input_tokens: 100, output_tokens: 900 });
  const { id } = await client.responses.create({ ...wish, model: 'my-azure', background: true });
  await producer.adopt(id);
  await expect.poll(async () => (await producer.get(id))?.model, { timeout: 10_000 }).toBe('my-azure');
  expect((await producer.get(id))?.status).toBe('running');
  await producer.wait(id);
  expect(await producer.ledger()).toMatchObject([{ model: 'my-azure', cost_usd_micros: 27_500 }]);
});

test('I3: a copied mark takes no response from the launch that has one, nor from the job that adopted it', async () => {
  const harness = await startHarness();
  const { producer, simulatorLedger, simulator } = harness;
  const { id } = await producer.enqueue(scripted());
  await producer.wait(id);
  const [launched] = (await simulatorLedger()).responses;
  const client = new OpenAI({ baseURL: simulator.url, apiKey: 'any', maxRetries: 0 });
  const metadata = { ...scripted().metadata, headstone: launched?.metadata.headstone ?? '' };
  const copied = await client.responses.create({ ...scripted(), metadata, background: true });
  await producer.adopt(copied.id, { id: 'copied' });
  expect(await producer.wait('copied')).toMatchObject({ status: 'completed' });
  expect((await producer.get(id))?.launches).toMatchObject([{ response_id: launched?.response_id }]);
  expect((await producer.ledger()).map(row => row.job_id)).toEqual([id, 'copied']);
});

test('I1, I3, I12: one response for two creates, as a caching gateway gives it, is the job’s that had it first', async () => {
  const { store } = await openStores();
  const launched = { response_id: 'resp_x', first_poll_ms: 10, observation: observed('queued') };
  for (const id of ['first', 'second']) {
    await acceptJob(store, id, { tenant: id });
    await store.run('acknowledge', { ...launched, id, epoch: await intendJob(store, id) });
  }
  expect(await store.job('first')).toMatchObject({ status: 'running', response_id: 'resp_x' });
  const second = { status: 'failed', ledger: [], outcome: { error: { code: 'response_of_another_job' } } };
  expect(await store.job('second')).toMatchObject(second);
  await store.run('decide', { id: 'first', status: 'cancelled', cause: 'cancelled', actor: 'alice' });
  await store.run('charge', { response_id: 'resp_x', observation: observed('completed', 1000) });
  expect(await store.row('resp_x')).toMatchObject({ job_id: 'first', kind: 'wasted', actor: 'alice', status: 'final' });
  expect((await wasteOf(store, { groupBy: 'actor' })).totals).toMatchObject({ responses: 1, pending: 0 });
});

test('I5: a launch whose response was adopted and ended before it was heard of waits for nothing', async () => {
  const { store } = await openStores();
  await acceptJob(store, 'launched');
  const epoch = await intendJob(store, 'launched');
  const adopter = { id: 'adopter', tenant: 'default', tags: '[]', tag_list: [], model: 'unknown', deadline_ms: 60_000 };
  await store.run('adopt', { ...adopter, response_id: 'resp_x' });
  await store.run('decide', { id: 'adopter', status: 'cancelled', cause: 'cancelled' });
  await store.run('acknowledge', {
    id: 'launched',
    epoch,
    response_id: 'resp_x',
    first_poll_ms: 10,
    observation: observed('queued'),
  });
  expect(await store.job('launched')).toMatchObject({
    status: 'failed',
    outcome: { error: { code: 'response_of_another_job' } },
  });
  expect(await store.row('resp_x')).toMatchObject({ job_id: 'adopter', kind: 'wasted', cause: 'cancelled' });
});
