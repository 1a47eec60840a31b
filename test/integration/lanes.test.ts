import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { createProducer } from '../../src/producer/create-producer.ts';
import type { Producer } from '../../src/producer/producer.ts';
import { loadConfiguration } from '../../src/shared/runtime/configuration.ts';
import { createWorker } from '../../src/worker/create-worker.ts';
import { type Harness, scripted, startHarness } from '../support/harness.ts';
import { acceptJob, intendJob } from '../support/store.ts';

const many = (count: number, script = {}) =>
  Array.from({ length: count }, (_, n) => ({ request: scripted(script, `Prompt ${n}`) }));

const startLanes = async (lanes: number, env: Record<string, string> = {}, workers = 0) =>
  await startHarness({ workers, env: { HEADSTONE_LANES: String(lanes), ...env } });

/** Another process of the same deployment, which takes the number of lanes that it finds. */
function another({ prefix, redisUrl }: Harness, env: Record<string, string> = {}) {
  const { configuration } = loadConfiguration(env);
  const producer = createProducer({ connection: redisUrl, prefix, configuration });
  onTestFinished(() => producer.close());
  return producer;
}

test('I2: a lane refuses an id of the app that was placed by another number of lanes', async () => {
  const { producer } = await startLanes(2);
  await producer.ready();
  await producer.store.raiseLanes(5);
  const wish = { tenant: 'default', tags: '[]', tag_list: [], model: 'm', fingerprint: 'f', deadline_ms: 1000 };
  const rest = { priority: 0, attempts: 1, on_unknown: 'fail', stream: false } as const;
  for (const lane of producer.store.lanes) {
    expect(await lane.run('accept', { id: 'report', lanes: 2, ...wish, ...rest }, '{}')).toMatchObject({
      reply: 'misplaced',
    });
    expect(await lane.run('accept', { id: 'report', lanes: 5, ...wish, ...rest }, '{}')).toMatchObject({
      reply: 'accepted',
    });
  }
});

test('lanes that are added while launching is paused spend nothing', async () => {
  const { startWorker, simulatorLedger, producer } = await startHarness({ workers: 0, env: { HEADSTONE_LANES: '' } });
  await producer.pauseLaunch(true);
  await producer.store.raiseLanes(4);
  const jobs = await producer.enqueueMany(many(12));
  await startWorker();
  await expect.poll(async () => (await producer.depths()).lanes_unserved).toEqual([]);
  expect((await producer.depths()).launch_waiting).toBe(12);
  expect((await simulatorLedger()).creates).toBe(0);
  await producer.pauseLaunch(false);
  for (const { id } of jobs) expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
});

test('an adoption that is refused leaves the response to the next one', async () => {
  const { producer } = await startLanes(4);
  await producer.enqueue(scripted(), { id: 'mine', tenant: 'harbour' });
  await expect(producer.adopt('resp_theirs', { id: 'mine' })).rejects.toMatchObject({ code: 'id_taken' });
  expect(await producer.adopt('resp_theirs', { id: 'other' })).toEqual({ id: 'other', status: 'running' });
});

test('I6: a create that is sent again after a raise is the same job', async () => {
  const { producer } = await startLanes(1);
  const { store } = producer;
  const send = async (count: number) => {
    const { idOfSend } = await import('../../src/server/api/resends.ts');
    return await idOfSend(store, { digest: 'digest-of-a-create', count });
  };
  const first = await send(0);
  await store.raiseLanes(8);
  expect(await send(1)).toBe(first);
  expect(await send(2)).toBe(first);
});

test('I4: no two lanes have the same epochs', async () => {
  const { producer } = await startLanes(3);
  await producer.ready();
  await producer.store.raiseLanes(5);
  const epochs = [];
  for (const lane of producer.store.lanes) {
    await acceptJob(lane, 'used-again');
    epochs.push(await intendJob(lane, 'used-again'));
  }
  expect(epochs).toEqual([1, 1e12 + 1, 2e12 + 1, 3e12 + 1, 4e12 + 1]);
});

async function allIds(producer: Producer): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const page = await producer.list({ limit: 1000, after: ids.at(-1) });
    if (page.length === 0) return ids;
    ids.push(...page.map(({ id }) => id));
  }
}

test('lists, pages, sums and rows of four lanes are those of one', async () => {
  const harness = await startLanes(4, {}, 1);
  const { producer } = harness;
  const enqueued: string[] = [];
  for (let n = 0; n < 30; n += 1)
    enqueued.push((await producer.enqueue(scripted({ duration_ms: 0 }), { tags: [n % 2 ? 'odd' : 'even'] })).id);
  for (const id of enqueued) await producer.wait(id);
  const used = new Set(await Promise.all(enqueued.map(async id => (await producer.store.laneOf(id)).number)));
  expect(used.size).toBeGreaterThan(1);

  const newestFirst = enqueued.toReversed();
  expect((await producer.list({ limit: 100 })).map(({ id }) => id)).toEqual(newestFirst);
  const paged: string[] = [];
  for (let after: string | undefined; ; after = paged.at(-1)) {
    const page = await another(harness).list({ limit: 7, after });
    if (page.length === 0) break;
    paged.push(...page.map(({ id }) => id));
  }
  expect(paged).toEqual(newestFirst);
  const odd = newestFirst.filter(id => enqueued.indexOf(id) % 2 === 1);
  expect((await producer.list({ tag: 'odd', limit: 100 })).map(({ id }) => id)).toEqual(odd);

  const rows = await producer.ledger();
  expect(rows).toHaveLength(30);
  expect(rows.map(({ at }) => at)).toEqual(rows.map(({ at }) => at).sort((left, right) => left - right));
  const read: string[] = [];
  for (let after: string | undefined; ; after = read.at(-1)) {
    const page = await producer.ledger({ limit: 4, after });
    if (page.length === 0) break;
    read.push(...page.map(row => row.response_id));
  }
  expect(read).toEqual(rows.map(row => row.response_id));
  const tokens = rows.reduce((sum, row) => sum + (row.usage?.total_tokens ?? 0), 0);
  expect((await producer.waste({ groupBy: 'tag' })).totals).toMatchObject({
    used_responses: 30,
    used_total_tokens: tokens,
  });
  expect((await producer.depths()).jobs).toMatchObject({ completed: 30 });
});

test('a process with another number of lanes is refused in a sentence, and one without a number takes what is there', async () => {
  const harness = await startLanes(4);
  await harness.producer.ready();
  await expect(another(harness, { HEADSTONE_LANES: '8' }).ready()).rejects.toThrow(
    'HEADSTONE_LANES says 8 lanes, but this deployment has 4 lanes. Set HEADSTONE_LANES to 4, or raise the number first: headstone lanes raise 8.',
  );
  await expect(another(harness, { HEADSTONE_LANES: '1' }).ready()).rejects.toThrow(/cannot be lowered/);
  const free = another(harness);
  await free.ready();
  expect(free.store.lanes).toHaveLength(4);
  await expect(free.store.raiseLanes(2)).rejects.toThrow(/cannot be lowered/);
});

test('a deployment of one lane that has jobs does not become one of four by a setting', async () => {
  const harness = await startHarness({ workers: 0, env: { HEADSTONE_LANES: '1' } });
  await harness.producer.enqueue(scripted());
  await expect(another(harness, { HEADSTONE_LANES: '4' }).ready()).rejects.toThrow(/headstone lanes raise 4/);
});

test('I2, I5: lanes are raised under load: every id is one job, and is found by every process', {
  timeout: 60_000,
}, async () => {
  const harness = await startLanes(1);
  const processes = [harness.producer, another(harness), another(harness)];
  const ids = Array.from({ length: 300 }, (_, n) => `invoice-${n}`);
  let isRaising = true;
  // Each process enqueues every id, so a lane that was chosen by two numbers would have a job twice.
  const load = processes.map(async producer => {
    for (const id of ids) await producer.enqueue(scripted({}, id), { id });
  });
  const named = (async () => {
    const made: string[] = [];
    while (isRaising) made.push((await harness.producer.enqueue(scripted())).id);
    return made;
  })();
  await harness.producer.store.raiseLanes(3);
  await harness.producer.store.raiseLanes(8);
  await Promise.all(load);
  isRaising = false;
  const made = await named;

  const listed = await allIds(another(harness));
  expect(listed).toHaveLength(ids.length + made.length);
  expect(new Set(listed)).toEqual(new Set([...ids, ...made]));
  for (const id of [...ids.slice(0, 50), ...made.slice(0, 50)])
    expect((await another(harness).cancel(id)).verdict).toBe('cancelled');
  // A job is found again by its id, though the id would belong elsewhere now.
  for (const id of ids.slice(50, 80))
    expect(await processes[1]?.enqueue(scripted({}, id), { id })).toMatchObject({ id });
  expect(await allIds(another(harness))).toHaveLength(listed.length);
});

test('a raise that dies half-way blocks nobody for long', async () => {
  const { producer, redis } = await startLanes(2);
  await producer.ready();
  for (const { keys } of producer.store.lanes) await redis.set(keys.fence(), 'raising to 8 since 1');
  expect(await producer.enqueue(scripted(), { id: 'patient' })).toMatchObject({ status: 'queued' });
});

test('I9: the caps of all lanes together are never exceeded, and one busy lane gets all of them', {
  timeout: 60_000,
}, async () => {
  const harness = await startLanes(4, { HEADSTONE_MAX_IN_FLIGHT: '6' }, 2);
  const { producer, simulator } = harness;
  let most = 0;
  const running = async () => {
    const { responses } = await harness.simulatorLedger();
    return responses.filter(({ status }) => status === 'queued' || status === 'in_progress').length;
  };
  const jobs = await producer.enqueueMany(many(40, { duration_ms: 150 }));
  let isOver = false;
  const watching = (async () => {
    while (!isOver) most = Math.max(most, await running());
  })();
  for (const { id } of jobs) await producer.wait(id);
  isOver = true;
  await watching;
  expect(most).toBeLessThanOrEqual(6);
  expect(most).toBeGreaterThan(2);

  const lane = await producer.store.laneOf(jobs[0]?.id ?? '');
  const plan = await producer.store.currentPlan();
  const busy = Array.from({ length: 12 }, () => plan.carry(`resp_${randomUUID().replaceAll('-', '')}`, lane.number));
  await producer.enqueueMany(busy.map(id => ({ request: scripted({ stuck: true }), options: { id } })));
  await expect.poll(running, { timeout: 10_000 }).toBe(6);
  expect(simulator.url).toContain('http');
});

test('lanes without a worker are taken over within 15 s, are shown, and are given back', {
  timeout: 60_000,
}, async () => {
  const harness = await startLanes(4);
  const { producer, configuration, telemetry, redisUrl, prefix, simulator, happened } = harness;
  await producer.ready();
  const startWorker = async (lanes: number[]) => {
    const openai = { apiKey: 'simulated', baseURL: simulator.url };
    const worker = createWorker({ connection: redisUrl, prefix, configuration, telemetry, openai, lanes });
    onTestFinished(() => worker.close());
    await worker.start();
    return worker;
  };
  const left = await startWorker([0, 1]);
  expect((await producer.depths()).lanes_unserved).toEqual([2, 3]);
  expect(await left.ready()).toContain('No worker serves lane 2.');
  const startedAt = performance.now();
  const jobs = await producer.enqueueMany(many(20, { duration_ms: 0 }));
  for (const { id } of jobs) await producer.wait(id, { timeoutMs: 15_000 });
  expect(performance.now() - startedAt).toBeLessThan(15_000);
  expect((await producer.depths()).lanes_unserved).toEqual([]);

  const right = await startWorker([2, 3]);
  await happened('lane_given_back', ({ lane }) => lane === 2);
  await happened('lane_given_back', ({ lane }) => lane === 3);
  expect((await producer.depths()).lanes_unserved).toEqual([]);
  await expect(startWorker([7])).rejects.toThrow('There is no lane 7. This deployment has the lanes 0 to 3.');
  await right.close();
});

test('at sixteen lanes one worker holds no more than 24 connections', async () => {
  const { redis } = await startHarness({ workers: 0 });
  const before = await connectionsOf(redis);
  const { worker } = await startLanes(16, {}, 1);
  expect(worker).toBeDefined();
  const held = (await connectionsOf(redis)) - before;
  process.stdout.write(`connections of a worker, a producer and the test at sixteen lanes on one server: ${held}\n`);
  expect(held).toBeLessThanOrEqual(24);
});

async function connectionsOf(redis: Harness['redis']): Promise<number> {
  return String(await redis.client('LIST'))
    .split('\n')
    .filter(line => line.includes('addr=')).length;
}

test('I3: of two jobs in two lanes, one adopts a response; both are told', async () => {
  const harness = await startLanes(8);
  const { producer } = harness;
  await producer.ready();
  const outcomes = await Promise.allSettled(
    Array.from({ length: 12 }, (_, n) => another(harness).adopt('resp_theirs', { id: `adopter-${n}` })),
  );
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const outcome of outcomes)
    if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'id_conflict' });
  expect(await producer.ledger()).toHaveLength(1);
});
