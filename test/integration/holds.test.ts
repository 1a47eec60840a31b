import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import type { Hold } from '../../src/shared/contract/holds.ts';
import type { Lane } from '../../src/shared/store/lane.ts';
import type { Script } from '../../src/simulator/script.ts';
import { WRONG_KEY } from '../../src/simulator/simulator.ts';
import { type Harness, scripted, startHarness } from '../support/harness.ts';
import { acceptJob, intendJob, openStores, redisOf, runJob } from '../support/store.ts';
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
  // When the last of them is parked, no create has been sent in vain.
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

/** The URL of a port that no longer listens. */
async function closedUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return `http://127.0.0.1:${port}/v1`;
}

test.for([
  ['quota', 'account', 'insufficient_quota'],
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
  const harness = await startHarness({ env: { HEADSTONE_CONCURRENCY: 'launch=1' } });
  const { producer, happened, redis, simulatorLedger, prefixOf } = harness;
  const endHold = holdEnder(harness);
  const lost: Partial<Script> = { create: 'server_error' };
  for (let n = 0; n < 5; n += 1) await producer.enqueue(scripted(lost, `Prompt ${n}`));
  expect(await happened('launches_held')).toMatchObject({ scope: 'model:gpt-5.5' });
  const { id } = await producer.enqueue(scripted({}, 'The one that succeeds'));
  await expect
    .poll(async () => await redis.hget(`${await prefixOf(id)}:job:${id}`, 'parked_scope'))
    .toBe('model:gpt-5.5');
  expect((await simulatorLedger()).creates).toBe(5);
  // The minute of the alarm is over, so one job may try.
  await endHold('model:gpt-5.5');
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  expect((await producer.depths()).holds).toEqual({});
});

/** Accepts everything that the test does not refuse. Each response is completed at its first poll. */
async function startChoosy(refuse: (body: { model: string; input: string }) => [status: number, body: unknown] | null) {
  const creates: string[] = [];
  const upstreamUrl = await startUpstream((call, body, response) => {
    if (call.method !== 'POST')
      return answer(response, 200, { id: call.url?.split('/').at(-1), status: 'completed', model: 'm', output: [] });
    const request = JSON.parse(body);
    creates.push(request.input);
    const refusal = refuse(request);
    if (refusal) return answer(response, ...refusal);
    return answer(response, 200, { id: `resp_${creates.length}`, status: 'queued', output: [] });
  });
  return { ...(await startHarness({ upstreamUrl })), creates };
}

const forbidden: [number, unknown] = [
  403,
  { error: { message: 'No access.', type: 'invalid_request_error', code: null } },
];

test('I10, I12: a prompt that a firewall refuses keeps nobody back', async () => {
  const { producer, events } = await startChoosy(({ input }) => (input === 'bad' ? forbidden : null));
  const bad = await producer.enqueue({ model: 'm', input: 'bad' });
  await expect.poll(async () => (await producer.get(bad.id))?.launches.at(-1)?.state).toBe('refused');
  for (const input of ['a', 'b', 'c'])
    expect(await producer.wait((await producer.enqueue({ model: 'm', input })).id)).toMatchObject({
      status: 'completed',
    });
  expect((await producer.get(bad.id))?.status).toBe('queued');
  expect(events.filter(({ name }) => name === 'launches_held')).toEqual([]);
});

/** Ends a hold in each lane that has it, as if its time had passed. */
function holdEnder({ redis, prefixes }: Pick<Harness, 'redis' | 'prefixes'>) {
  return async (scope: string, until = 1) => {
    for (const prefix of await prefixes()) {
      const place = `${prefix}:hold:${scope}`;
      if (await redis.exists(place)) await redis.hset(place, 'until', until);
    }
  };
}

/** Makes holds expire. */
async function endHolds(store: Lane): Promise<void> {
  const { keys } = store;
  const scopes = ['account', 'model:gpt-5.5', 'tenant:default|model:gpt-5.5'];
  await redisOf(store).del(...scopes.map(keys.hold));
}

/** Refuses a job repeatedly, runs `between` after each refusal, and returns what happened to the job. */
async function refuseAgain(
  hold: Omit<Hold, 'code'>,
  times: number,
  between: (store: Lane, n: number) => Promise<void>,
) {
  const { store } = await openStores();
  await acceptJob(store, 'bad');
  for (let n = 0; n < times; n += 1) {
    const epoch = await intendJob(store, 'bad');
    const code = 'refused';
    const wish = { ...hold, code };
    const message = 'No.';
    const refusal = { how: 'refused', next: 'queued', code, message, due_in_ms: 0, hold: wish } as const;
    const { reply } = await store.run('resolve', { id: 'bad', epoch, ...refusal });
    if (reply === 'failed') return { store, refusals: n + 1 };
    await endHolds(store);
    await between(store, n);
  }
  return { store, refusals: null };
}

const pass = async (store: Lane, n: number) => void (await runJob(store, `good-${n}`, `resp_${n}`));
const refuseOther = async (store: Lane, n: number) => {
  await acceptJob(store, `other-${n}`);
  const epoch = await intendJob(store, `other-${n}`);
  const hold = { of: 'model', kind: 'rate', code: 'x', for_ms: 100 } as const;
  await store.run('resolve', {
    id: `other-${n}`,
    epoch,
    how: 'refused',
    next: 'queued',
    code: 'x',
    due_in_ms: 0,
    hold,
  });
  await endHolds(store);
};

const content = { of: 'access', kind: 'alarm', why: 'content', for_ms: 100 } as const;
const rate = { of: 'model', kind: 'rate', for_ms: 100 } as const;

test.for([
  ['four refusals of its content, while others pass', content, pass, 4],
  ['six rate limits, while others pass between each of them', rate, pass, 6],
  ['rate limits that say when to come back', { ...rate, will_pass: true }, pass, null],
  ['rate limits while nobody passes', rate, async () => {}, null],
  ['rate limits while others are refused too', rate, refuseOther, null],
  ['a refused key', { ...content, why: 'key' }, pass, null],
] as const)('I10: %s: the job itself is the problem, or it is not', async ([, hold, between, ends]) => {
  const { store, refusals } = await refuseAgain(hold, 10, between);
  expect(refusals).toBe(ends);
  const error = (await store.job('bad'))?.outcome?.error;
  expect(error ?? null).toEqual(ends === null ? null : { code: 'refused', message: 'No.' });
});

test('several jobs in a row that are refused so hold the account, and the first that passes lifts it', async () => {
  let isOpen = false;
  const harness = await startChoosy(() => (isOpen ? null : forbidden));
  const { producer, happened } = harness;
  const endHold = holdEnder(harness);
  const jobs = ['a', 'b', 'c'].map(input => ({ request: { model: 'm', input } }));
  const ids = (await producer.enqueueMany(jobs)).map(({ id }) => id);
  await happened('launches_held', ({ scope }) => scope === 'account');
  ids.push((await producer.enqueue({ model: 'm', input: 'd' })).id);
  await expect.poll(async () => (await producer.list()).filter(({ held_by }) => held_by !== null)).not.toEqual([]);
  isOpen = true;
  // The minute of the alarm is over, so one job may try.
  for (const scope of ['account', 'tenant:default|model:m']) await endHold(scope);
  for (const id of ids) expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  expect((await producer.depths()).holds).not.toHaveProperty('account');
});

test('I12: a tenant whose key is refused keeps no other tenant back, until others are refused too', async () => {
  let refused = ['evil'];
  const wrongKey: [number, unknown] = [401, { error: { message: 'No.', code: 'invalid_api_key' } }];
  const { producer, happened } = await startChoosy(({ input }) => (refused.includes(input) ? wrongKey : null));
  await producer.enqueue({ model: 'm', input: 'good' }, { tenant: 'good' });
  await producer.enqueue({ model: 'm', input: 'evil' }, { tenant: 'evil' });
  await happened('launches_held', ({ scope }) => scope === 'tenant:evil|model:m');
  const { id } = await producer.enqueue({ model: 'm', input: 'good' }, { tenant: 'good' });
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  expect((await producer.depths()).holds).toEqual({ 'tenant:evil|model:m': 'invalid_api_key' });
  refused = ['evil', 'good', 'other'];
  await producer.enqueue({ model: 'm', input: 'good' }, { tenant: 'good' });
  await producer.enqueue({ model: 'm', input: 'other' }, { tenant: 'other' });
  await happened('launches_held', ({ scope }) => scope === 'account');
});

test('I10: a rate limit that can never pass ends that job, and the others of its model run', async () => {
  const message = 'Request too large for m on tokens per min: the input must be reduced in order to run.';
  const tooLarge: [number, unknown] = [429, { error: { message, type: 'tokens', code: 'rate_limit_exceeded' } }];
  const { producer } = await startChoosy(({ input }) => (input === 'huge' ? tooLarge : null));
  const huge = await producer.enqueue({ model: 'm', input: 'huge' });
  const jobs = Array.from({ length: 40 }, (_, n) => ({ request: { model: 'm', input: `${n}` } }));
  for (const { id } of await producer.enqueueMany(jobs))
    expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  expect(await producer.wait(huge.id)).toMatchObject({ status: 'failed', error: { message } });
});

test('I10: a trial of the account is not spent on a job that another hold has for itself, and any answer shows the route', async () => {
  const harness = await startChoosy(({ model }) =>
    model === 'nowhere' ? [404, { error: { message: 'No such model.', code: 'model_not_found' } }] : null,
  );
  const { producer, happened, redis, prefixes, prefixOf } = harness;
  const endHold = holdEnder(harness);
  const bad = await producer.enqueue({ model: 'nowhere', input: 'x' });
  await happened('launches_held', ({ scope }) => scope === 'model:nowhere');
  // The provider is away for a second, and no launch has reached it.
  for (const prefix of await prefixes())
    await redis.hset(`${prefix}:hold:account`, {
      kind: 'alarm',
      code: 'no_route',
      lifted_by: 'answer',
      since: 1,
      until: Date.now() + 3_600_000,
    });
  const good = await producer.enqueue({ model: 'm', input: 'a' });
  await expect
    .poll(async () => await redis.hget(`${await prefixOf(good.id)}:job:${good.id}`, 'parked_scope'), {
      timeout: 10_000,
    })
    .toBe('account');
  // The bad job's own hold is over. It meets the account's hold and waits behind the good job, because it was refused before.
  await endHold('model:nowhere');
  await expect
    .poll(async () => await redis.hget(`${await prefixOf(bad.id)}:job:${bad.id}`, 'parked_scope'), { timeout: 10_000 })
    .toBe('account');
  await endHold('model:nowhere', Date.now() + 3_600_000);
  await endHold('account');
  expect(await producer.wait(good.id)).toMatchObject({ status: 'completed' });
  await expect.poll(async () => (await producer.depths()).holds, { timeout: 10_000 }).not.toHaveProperty('account');
  expect((await producer.get(bad.id))?.status).toBe('queued');
});

test('I9: the name of a hold that nobody lifted goes with the hold', async () => {
  const { store } = await openStores();
  await acceptJob(store, 'job');
  const epoch = await intendJob(store, 'job');
  const hold = { of: 'model', why: 'model', kind: 'alarm', for_ms: 60_000, code: 'x' } as const;
  await store.run('resolve', {
    id: 'job',
    epoch,
    how: 'refused',
    next: 'queued',
    code: 'model_not_found',
    due_in_ms: 0,
    hold,
  });
  const scopes = () => store.ask(redis => redis.smembers(store.keys.heldScopes()));
  await store.run('forget', { limit: 10 });
  const [scope = ''] = await scopes();
  expect(scope).not.toBe('');
  // As if its time were over.
  await store.ask(redis => redis.del(store.keys.hold(scope)));
  await store.run('forget', { limit: 10 });
  expect(await scopes()).toEqual([]);
});
