import { expect, onTestFinished, test } from 'vitest';
import type { Lane } from '../../src/shared/store/lane.ts';
import { createWorker } from '../../src/worker/create-worker.ts';
import { type Harness, scripted, startHarness } from '../support/harness.ts';
import { acceptJob, intendJob } from '../support/store.ts';

const patient = { timeout: 15_000 };

/** As if the ten minutes of the patrol had passed. */
async function patrolIsDue({ producer, redis }: Harness, what: 'open' | 'unsettled', member: string): Promise<void> {
  for (const { keys } of await producer.store.allLanes()) await redis.zadd(keys[what](), 'XX', 0, member);
}

async function wipeQueues({ producer }: Harness): Promise<void> {
  for (const queue of producer.queues) await queue.obliterate({ force: true });
  for (const lane of await producer.store.allLanes()) await lane.ask(redis => redis.del(lane.keys.outbox()));
}

test('I5: a poll that is due and that nobody has', { timeout: 30_000 }, async () => {
  const harness = await startHarness({ env: { HEADSTONE_POLL_MIN_MS: '60000', HEADSTONE_POLL_MAX_MS: '60000' } });
  const { producer, happened } = harness;
  const { id } = await producer.enqueue(scripted());
  await happened('launch_acknowledged');
  await wipeQueues(harness);
  await patrolIsDue(harness, 'open', id);
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
});

test('I4, I10: an intent without an answer, of a job that is open and of one that was cancelled', {
  timeout: 40_000,
}, async () => {
  const { producer, startWorker } = await startHarness({ workers: 0 });
  const lane = producer.store.home;
  await producer.ready();
  for (const id of ['open', 'cancelled']) {
    await acceptJob(lane, id);
    await intendJob(lane, id);
  }
  await producer.cancel('cancelled');
  await startWorker();
  for (const [id, status] of [
    ['open', 'failed'],
    ['cancelled', 'cancelled'],
  ] as const)
    await expect
      .poll(() => producer.get(id), patient)
      .toMatchObject({ status, launches: [{ state: 'unknown', code: 'worker_lost' }] });
});

test('I3, I5: a tombstone whose response nobody watches', { timeout: 30_000 }, async () => {
  const harness = await startHarness();
  const { producer, happened } = harness;
  const { id } = await producer.enqueue(scripted({ duration_ms: 1000, flip_after_ms: 200 }));
  const { response_id: responseId } = await happened('launch_acknowledged');
  const lane = await producer.store.laneOf(id);
  // The process that cancelled died, and its line and entry were lost with it.
  await lane.run('decide', { id, status: 'cancelled', cause: 'cancelled' });
  await wipeQueues(harness);
  await patrolIsDue(harness, 'unsettled', responseId);
  expect(await happened('tokens_wasted')).toMatchObject({ response_id: responseId, status: 'final' });
});

test('I9: entries of indexes whose records and rows are gone', { timeout: 30_000 }, async () => {
  const { producer } = await startHarness();
  const { home } = producer.store;
  await producer.ready();
  const { keys } = home;
  const places = [keys.ended(), keys.open(), keys.streams(), keys.attended(), keys.rows(), keys.unsettled()];
  const [intents, held] = [keys.intents(), keys.heldScopes()];
  await home.ask(async redis => {
    for (const place of places) await redis.zadd(place, 1, 'what is gone');
    await redis.zadd(intents, 1, 'what-is-gone|1');
    await redis.sadd(held, 'model:gone');
  });
  await expect.poll(() => home.ask(redis => redis.exists(...places, intents, held)), patient).toBe(0);
});

test('I10: a lane without an owner', { timeout: 40_000 }, async () => {
  const { producer, prefix, redisUrl, configuration, telemetry, simulator, happened } = await startHarness({
    workers: 0,
    env: { HEADSTONE_LANES: '2' },
  });
  const openai = { apiKey: 'any', baseURL: simulator.url };
  const worker = createWorker({ connection: redisUrl, prefix, configuration, telemetry, openai, lanes: [0] });
  onTestFinished(() => worker.close());
  await worker.start();
  const jobs = await producer.enqueueMany(
    Array.from({ length: 8 }, (_, n) => ({ request: scripted({}, `Prompt ${n}`) })),
  );
  expect(await happened('lane_taken_over')).toEqual({ lane: 1 });
  for (const { id } of jobs) expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
});

test('I10: a bulk cancel whose process died before every lane knew of it', { timeout: 40_000 }, async () => {
  const { producer } = await startHarness({ env: { HEADSTONE_LANES: '4' } });
  const { cancellations, store } = producer;
  await producer.pauseLaunch(true);
  await producer.enqueueMany(Array.from({ length: 40 }, (_, n) => ({ request: scripted({}, `Prompt ${n}`) })));
  const last = store.lanes[3] as Lane;
  const run = last.run.bind(last);
  last.run = async (name, ...rest) => {
    if (name === 'begin_cancellation') throw new Error('This process ends here.');
    return await run(name, ...rest);
  };
  await expect(cancellations.begin({ all: true }, { id: 'withdrawn' })).rejects.toThrow('ends here');
  last.run = run;
  // A worker carries on in the lanes that know of it, and nobody does in the last one.
  await expect.poll(async () => (await cancellations.get('withdrawn')).status, patient).toBe('stopped');
  expect(await producer.list({ status: 'queued' })).not.toEqual([]);

  await cancellations.begin({ all: true }, { id: 'withdrawn' });
  await cancellations.run('withdrawn');
  expect(await cancellations.get('withdrawn')).toMatchObject({ status: 'done', cancelled: 40, expected: 40 });
  expect(await producer.list({ status: 'queued' })).toEqual([]);
});
