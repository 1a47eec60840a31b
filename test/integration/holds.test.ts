import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import type { Script } from '../../src/simulator/script.ts';
import { WRONG_KEY } from '../../src/simulator/simulator.ts';
import { scripted, startHarness } from '../support/harness.ts';
import { answer, startUpstream } from '../support/upstream.ts';

test('a wrong key fails no job: it holds the account, says what to look at, and sends one create', async () => {
  const { producer, happened, simulatorLedger } = await startHarness({
    apiKey: WRONG_KEY,
    env: { HEADSTONE_CONCURRENCY: 'launch=1' },
  });
  const jobs = Array.from({ length: 30 }, (_, n) => ({ request: scripted({}, `Prompt ${n}`) }));
  await producer.enqueueMany(jobs);
  expect(await happened('launches_held')).toMatchObject({
    scope: 'account',
    code: 'invalid_api_key',
    advice: expect.stringContaining('OPENAI_API_KEY'),
  });
  // When the last of them is parked, none was tried in vain.
  await expect.poll(async () => (await producer.queues[0]?.getJobCounts('waiting', 'active'))?.waiting).toBe(0);
  expect(await producer.list({ status: 'queued' })).toHaveLength(30);
  expect((await simulatorLedger()).responses).toEqual([]);
  expect(await producer.cancel((await producer.list())[0]?.id ?? '')).toEqual({ verdict: 'cancelled' });
});

test('no route to the provider holds the account too', async () => {
  const { producer, happened } = await startHarness({ upstreamUrl: await closedUrl() });
  const { id } = await producer.enqueue(scripted());
  expect(await happened('launches_held')).toMatchObject({ scope: 'account', code: 'no_route' });
  expect((await producer.get(id))?.status).toBe('queued');
});

/** Where nobody listens any more. */
async function closedUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return `http://127.0.0.1:${port}/v1`;
}

test.for([
  ['quota', 'account', 'insufficient_quota'],
  ['forbidden', 'account', 'forbidden'],
  ['no_model', 'model:gpt-5.5', 'model_not_found'],
  ['overloaded', 'model:gpt-5.5', 'server_is_overloaded'],
] as const)('a create refused by %s holds %s and fails nothing', async ([create, scope, code]) => {
  const { producer, happened } = await startHarness();
  const { id } = await producer.enqueue(scripted({ create }));
  expect(await happened('launches_held')).toMatchObject({ scope, code });
  expect((await producer.get(id))?.status).toBe('queued');
});

test('only a refusal of this request ends a job', async () => {
  const { producer, events } = await startHarness();
  const { id } = await producer.enqueue(scripted({ create: 'invalid' }));
  expect(await producer.wait(id)).toMatchObject({ status: 'failed', error: { code: 'invalid_prompt' } });
  expect(events.map(({ name }) => name)).not.toContain('launches_held');
});

test('five unknowns in a row hold the model, and one success lifts the hold', async () => {
  const { producer, happened, redis, prefix, simulatorLedger } = await startHarness({
    env: { HEADSTONE_CONCURRENCY: 'launch=1' },
  });
  const lost: Partial<Script> = { create: 'server_error' };
  for (let n = 0; n < 5; n += 1) await producer.enqueue(scripted(lost, `Prompt ${n}`));
  expect(await happened('launches_held')).toMatchObject({ scope: 'model:gpt-5.5' });
  const { id } = await producer.enqueue(scripted({}, 'The one that succeeds'));
  await expect.poll(() => redis.hget(`${prefix}:job:${id}`, 'parked_scope')).toBe('model:gpt-5.5');
  expect((await simulatorLedger()).creates).toBe(5);
  // The minute of the alarm is over: one job may try.
  await redis.hset(`${prefix}:hold:model:gpt-5.5`, 'until', 1);
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  expect(await redis.exists(`${prefix}:hold:model:gpt-5.5`)).toBe(0);
});

test('I10, I12: a job that alone is refused, again and again, keeps nobody else back: each trial is another job', async () => {
  const upstreamUrl = await startUpstream((call, body, response) => {
    if (call.method !== 'POST')
      return answer(response, 200, { id: call.url?.split('/').at(-1), status: 'completed', model: 'm', output: [] });
    return JSON.parse(body).model === 'forbidden'
      ? answer(response, 403, { error: { message: 'No access.', type: 'invalid_request_error', code: null } })
      : answer(response, 200, { id: `resp_${JSON.parse(body).input}`, status: 'queued', output: [] });
  });
  const { producer, happened, redis, prefix } = await startHarness({ upstreamUrl });
  const bad = await producer.enqueue({ model: 'forbidden', input: 'x' }, { tenant: 'museum' });
  await happened('launches_held', ({ scope }) => scope === 'account');
  const { id } = await producer.enqueue({ model: 'good', input: 'a' }, { tenant: 'harbour' });
  await expect.poll(() => redis.hget(`${prefix}:job:${id}`, 'parked_scope')).toBe('account');
  // The minute of the alarm is over: one job may try.
  await redis.hset(`${prefix}:hold:account`, 'until', 1);
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  expect((await producer.get(bad.id))?.status).toBe('queued');
});
