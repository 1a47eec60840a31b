import { createRequire } from 'node:module';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createProducer } from '../../src/producer/create-producer.ts';
import { responseBody } from '../../src/producer/response-body.ts';
import { scripted, startHarness } from '../support/harness.ts';
import { startProxy } from '../support/proxy.ts';

test.for([
  ['no model', { input: 'x' }, {}, /^model is missing/],
  ['no input', { model: 'm' }, {}, /^input is missing/],
  ['twenty metadata pairs', { model: 'm', input: 'x', metadata: pairs(20) }, {}, /at most 15 pairs/],
  [
    'our own metadata key',
    { model: 'm', input: 'x', metadata: { headstone: 'y' } },
    {},
    /must not use the key "headstone"/,
  ],
  ['an id with a colon', { model: 'm', input: 'x' }, { id: 'a:b' }, /^id must be 1 to 64 characters/],
  ['store: false', { model: 'm', input: 'x', store: false }, {}, /^store must be true/],
  ['a prompt over the limit', { model: 'm', input: 'x'.repeat(1_000_001) }, {}, /HEADSTONE_MAX_REQUEST_BYTES/],
  ['an option that does not exist', { model: 'm', input: 'x' }, { deadline: 5 }, /deadline/],
] as const)('bad input: %s gets a sentence and loses nothing', async ([, request, options, sentence]) => {
  const { producer } = await startHarness({ workers: 0 });
  await expect(producer.enqueue(request, options as object)).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringMatching(sentence),
  });
  expect(await producer.list()).toEqual([]);
});

test('bad input in a list: names the place, and enqueues nothing of the list', async () => {
  const { producer } = await startHarness({ workers: 0 });
  await expect(producer.enqueueMany([{ request: scripted() }, { request: { input: 'x' } }])).rejects.toThrow(
    'Job 2 in the list: model is missing',
  );
  expect(await producer.list()).toEqual([]);
});

test('the same id and request is the same job; another request, or another tenant, is a clear conflict', async () => {
  const { producer } = await startHarness({ workers: 0 });
  const first = await producer.enqueue({ model: 'm', input: 'x', top_p: 1 }, { id: '42' });
  expect(first).toEqual({ id: '42', status: 'queued' });
  expect(await producer.enqueue({ input: 'x', top_p: 1, model: 'm' }, { id: '42' })).toEqual(first);
  await expect(producer.enqueue({ model: 'm', input: 'y' }, { id: '42' })).rejects.toMatchObject({
    code: 'id_conflict',
  });
  await expect(producer.enqueue({ model: 'm', input: 'x', top_p: 1 }, { id: '42', tenant: 'b' })).rejects.toMatchObject(
    {
      code: 'id_taken',
    },
  );
  const results = await producer.enqueueMany([
    { request: { model: 'm', input: 'other' }, options: { id: '42' } },
    { request: { model: 'm', input: 'fine' }, options: { id: '43' } },
  ]);
  expect(results).toMatchObject([
    { id: '42', error: { code: 'id_conflict' } },
    { id: '43', status: 'queued' },
  ]);
});

test('every verdict of a cancel', async () => {
  const { producer, happened } = await startHarness();
  const ended = async (script: Parameters<typeof scripted>[0], options = {}) => {
    const { id } = await producer.enqueue(scripted(script), options);
    await producer.wait(id);
    return (await producer.cancel(id)).verdict;
  };
  expect(await ended({})).toBe('already_completed');
  expect(await ended({ end: 'incomplete' })).toBe('already_incomplete');
  expect(await ended({ end: 'failed' })).toBe('already_failed');
  expect(await ended({ stuck: true }, { deadlineMs: 300 })).toBe('already_expired');
  expect(await producer.cancel('nobody')).toEqual({ verdict: 'not_found' });
  await happened('job_cancel_asked', ({ verdict }) => verdict === 'not_found');
});

test('a job that is cancelled while queued never reaches the provider', async () => {
  const { producer, simulatorLedger, startWorker, happened } = await startHarness({ workers: 0 });
  const { id } = await producer.enqueue(scripted());
  expect(await producer.cancel(id)).toEqual({ verdict: 'cancelled' });
  await startWorker();
  const other = await producer.enqueue(scripted({}, 'Another'));
  await producer.wait(other.id);
  await happened('process_ready');
  expect((await simulatorLedger()).creates).toBe(1);
  expect(await producer.ledger()).toHaveLength(1);
});

test('a cancel during the POST is applied as soon as the id is known', async () => {
  const { producer, happened, simulatorLedger } = await startHarness();
  const { id } = await producer.enqueue(scripted({ create_ms: 500, duration_ms: 1000 }));
  await happened('launch_intended');
  expect(await producer.cancel(id)).toEqual({ verdict: 'cancelled' });
  expect(await happened('response_unwanted')).toMatchObject({ job_id: id, cause: 'cancelled' });
  await happened('upstream_cancelled');
  const [response] = (await simulatorLedger()).responses;
  expect((response?.cancelled_at ?? 0) - (response?.created_at ?? 0)).toBeLessThan(500);
});

test('list: by status, tenant and tag, in pages, the newest first', async () => {
  const { producer } = await startHarness({ workers: 0 });
  const jobs = Array.from({ length: 12 }, (_, n) => ({
    request: scripted({}, `Prompt ${n}`),
    options: { id: `job-${n}`, tenant: n % 2 === 0 ? 'even' : 'odd', tags: n < 6 ? ['low'] : ['high'] },
  }));
  await producer.enqueueMany(jobs);
  await producer.cancel('job-4');
  const ids = async (filter: object) => (await producer.list(filter)).map(job => job.id);
  expect(await ids({ limit: 3 })).toEqual(['job-11', 'job-10', 'job-9']);
  expect(await ids({ limit: 2, after: 'job-9' })).toEqual(['job-8', 'job-7']);
  expect(await ids({ tenant: 'even', tag: 'low' })).toEqual(['job-4', 'job-2', 'job-0']);
  expect(await ids({ tenant: 'even', tag: 'low', status: 'queued' })).toEqual(['job-2', 'job-0']);
  expect(await ids({ status: 'cancelled' })).toEqual(['job-4']);
});

test('wait: has a time-out and a signal, and says when there is no such job', async () => {
  const { producer } = await startHarness({ workers: 0 });
  const { id } = await producer.enqueue(scripted());
  await expect(producer.wait(id, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'wait_timeout' });
  const controller = new AbortController();
  // Longer than the longest delay of Node's timers.
  const waiting = producer.wait(id, { timeoutMs: 366 * 86_400_000, signal: controller.signal });
  controller.abort(new Error('the user left'));
  await expect(waiting).rejects.toThrow('the user left');
  await expect(producer.wait('nobody')).rejects.toMatchObject({ code: 'job_not_found' });
});

test('wait: survives a lost connection, and a lost message', async () => {
  const proxy = await startProxy();
  const remote = await startHarness({ workers: 0, redisUrl: proxy.redisUrl });
  const { id } = await remote.producer.enqueue(scripted());
  const waiting = remote.producer.wait(id, { timeoutMs: 20_000 });
  const channel = `${await remote.prefixOf(id)}:decided`;
  await expect.poll(async () => (await remote.redis.pubsub('NUMSUB', channel))[1]).toBe(1);
  proxy.cut();
  await expect(remote.producer.cancel(id)).rejects.toMatchObject({ code: 'store_unreachable', retryable: true });
  // The record is decided by a process that is still connected.
  const direct = createProducer({
    connection: inject('redisUrl'),
    prefix: remote.prefix,
    configuration: remote.configuration,
  });
  expect(await direct.cancel(id)).toEqual({ verdict: 'cancelled' });
  await direct.close();
  proxy.heal();
  expect(await waiting).toMatchObject({ status: 'cancelled' });
});

test('wait and subscribe end when their producer is closed: the process can end, and the job goes on', async () => {
  const { producer, configuration, prefix } = await startHarness({ workers: 0 });
  const leaving = createProducer({ connection: inject('redisUrl'), prefix, configuration });
  const { id } = await producer.enqueue({ ...scripted(), stream: true });
  const closed = { code: 'store_unreachable', message: expect.stringContaining('The job goes on.') };
  const waiting = expect(leaving.wait(id)).rejects.toMatchObject(closed);
  const events = leaving.subscribe(id);
  await events.next();
  const hearing = expect(events.next()).rejects.toMatchObject(closed);
  await leaving.close();
  await Promise.all([waiting, hearing]);
  expect(await producer.get(id)).toMatchObject({ status: 'queued' });
});

test('what was shown never goes back: a job between two runs is in progress, and says what the first one cost', async () => {
  const { producer, happened } = await startHarness();
  const { id } = await producer.enqueue(scripted({ end: 'failed', duration_ms: 200, output_tokens: 90 }), {
    attempts: 2,
  });
  await happened('launch_acknowledged');
  await producer.pauseLaunch(true);
  await happened('job_rerun');
  const body = async () => {
    const job = await producer.get(id);
    return job && responseBody(job, {});
  };
  expect((await producer.get(id))?.status).toBe('queued');
  expect((await body())?.status).toBe('in_progress');
  await producer.cancel(id);
  await expect.poll(async () => (await body())?.usage).toMatchObject({ output_tokens: 90 });
});

function pairs(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [`key-${n}`, 'value']));
}

test('connection: a client of another copy of ioredis is taken as one, as in BullMQ', async () => {
  const { prefix, configuration, redisUrl } = await startHarness({ workers: 0 });
  const require = createRequire(import.meta.url);
  const { Redis: OurRedis } = require('ioredis') as typeof import('ioredis');
  for (const file of Object.keys(require.cache).filter(name => /[\\/]ioredis[\\/]/.test(name)))
    delete require.cache[file];
  const { Redis: TheirRedis } = require('ioredis') as typeof import('ioredis');
  expect(TheirRedis).not.toBe(OurRedis);
  const theirs = new TheirRedis(redisUrl);
  const producer = createProducer({ connection: theirs, prefix, configuration });
  onTestFinished(async () => {
    await producer.close();
    theirs.disconnect();
  });
  const { id } = await producer.enqueue(scripted());
  const { keys } = await producer.store.laneOf(id);
  expect(await theirs.hget(keys.job(id), 'status')).toBe('queued');
  expect((await producer.cancel(id)).verdict).toBe('cancelled');
});
