import { expect, test, vi } from 'vitest';
import { Store } from '../../src/shared/store/store.ts';
import { scripted, startHarness } from '../support/harness.ts';
import { acceptJob, intendJob, openStores, runJob } from '../support/store.ts';

test('I9: under a backlog no more than HEADSTONE_MAX_IN_FLIGHT responses run, and the polls of a job stay few', async () => {
  const { producer, simulatorLedger, events } = await startHarness({
    workers: 2,
    env: { HEADSTONE_MAX_IN_FLIGHT: '5' },
  });
  const jobs = Array.from({ length: 60 }, (_, n) => ({ request: scripted({ duration_ms: 200 }, `Prompt ${n}`) }));
  const ids = (await producer.enqueueMany(jobs)).map(({ id }) => id);
  await Promise.all(ids.map(id => producer.wait(id)));
  expect(mostAtOnce(events)).toBeLessThanOrEqual(5);
  expect(mostAtOnce(events)).toBeGreaterThan(1);
  const { responses } = await simulatorLedger();
  expect(responses).toHaveLength(60);
  expect(Math.max(...responses.map(({ reads }) => reads))).toBeLessThan(20);
});

test('I9: a job’s timeline keeps its newest hundred entries', async () => {
  const { producer, happened, redis, prefixOf } = await startHarness();
  const { id } = await producer.enqueue(scripted());
  await happened('job_decided');
  await redis.rpush(
    `${await prefixOf(id)}:timeline:${id}`,
    ...Array.from({ length: 500 }, () => '{"at":1,"event":"filler"}'),
  );
  const again = await producer.enqueue(scripted({ duration_ms: 60_000, stuck: true }), { id: 'second' });
  await redis.rpush(
    `${await prefixOf(again.id)}:timeline:${again.id}`,
    ...Array.from({ length: 500 }, () => '{"at":1,"event":"filler"}'),
  );
  await producer.cancel(again.id);
  expect((await producer.get(again.id))?.timeline).toHaveLength(100);
});

/** The number of jobs that were launched and not yet decided, according to the workers' logs. */
function mostAtOnce(events: { name: string }[]): number {
  let running = 0;
  let most = 0;
  for (const { name } of events) {
    if (name === 'launch_acknowledged') running += 1;
    if (name === 'job_decided') running -= 1;
    most = Math.max(most, running);
  }
  return most;
}

test('I9: launches that wait for a place keep their turn, and a lost channel does not make them ask in a hurry', async () => {
  const { producer, happened, redis, simulatorLedger } = await startHarness({ env: { HEADSTONE_MAX_IN_FLIGHT: '1' } });
  const first = await producer.enqueue(scripted({ duration_ms: 1600 }, 'First'));
  await happened('launch_acknowledged');
  const second = await producer.enqueue(scripted({}, 'Second'));
  const run = vi.spyOn(Store.prototype, 'run');
  await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await producer.wait(first.id);
  const questions = run.mock.calls.filter(([name]) => name === 'intend').length;
  run.mockRestore();
  expect(questions).toBeLessThan(40);
  await producer.wait(second.id);
  // It waited for longer than 0.6 times the lock, and its intent was still the first.
  expect((await producer.get(second.id))?.launches).toMatchObject([{ state: 'acknowledged' }]);
  expect((await simulatorLedger()).creates).toBe(2);
});

test('I9: of a launch that is refused again and again the newest twenty are kept', async () => {
  const { store } = await openStores();
  await acceptJob(store, 'job');
  for (let refusal = 0; refusal < 30; refusal += 1) {
    const epoch = await intendJob(store, 'job');
    await store.run('resolve', { id: 'job', epoch, how: 'refused', next: 'queued', code: 'x', due_in_ms: 0 });
  }
  expect((await store.job('job'))?.launches).toHaveLength(20);
});

test('I5, I9: five crashes over one entry end its job as poison; none of them counts while it only waits for a place', async () => {
  const { producer, redis, prefixOf, startWorker } = await startHarness({
    workers: 0,
    env: { HEADSTONE_MAX_IN_FLIGHT: '1' },
  });
  const crashed = async (id: string, times: number) => {
    const { keys } = await producer.store.laneOf(id);
    await redis.hset(`${await prefixOf(id)}:launch:hs-${id}`, 'stc', times);
    await redis.hset(keys.crashes(), `launch:hs-${id}`, times);
    return () => redis.hget(keys.crashes(), `launch:hs-${id}`);
  };
  const doomed = await producer.enqueue(scripted());
  const doom = await crashed(doomed.id, 5);
  await runJob(producer.store, 'running', 'resp_running');
  await startWorker();
  expect(await producer.wait(doomed.id)).toMatchObject({ status: 'failed', error: { code: 'poison' } });
  await expect.poll(doom).toBeNull();

  await producer.pauseLaunch(true);
  const waiting = await producer.enqueue(scripted());
  const crashes = await crashed(waiting.id, 4);
  await producer.pauseLaunch(false);
  await expect.poll(crashes, { timeout: 10_000 }).toBeNull();
  expect((await producer.get(waiting.id))?.status).toBe('queued');
});

test('I5: an entry that no worker ever began with is no poison, however often it stalled', async () => {
  const { producer, redis, prefixOf, startWorker } = await startHarness({ workers: 0 });
  const { id } = await producer.enqueue(scripted());
  await redis.hset(`${await prefixOf(id)}:launch:hs-${id}`, 'stc', 30);
  await startWorker();
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  const { keys } = await producer.store.laneOf(id);
  expect(await redis.exists(keys.crashes())).toBe(0);
});

test('I3, I9: past the bound of a day’s sums, free words and bulk cancels share one place, and the sums stay right', async () => {
  const { producer, redis, prefixOf, happened } = await startHarness();
  const wish = scripted({ duration_ms: 400, flip_after_ms: 100 });
  const { id } = await producer.enqueue(wish, { tenant: 'harbour', tags: ['nightly'] });
  const prefix = await prefixOf(id);
  const day = new Date().toISOString().slice(0, 10);
  const filler = Array.from({ length: 40_001 }, (_, n) => [JSON.stringify(['tag', `filler ${n}`]), 'responses=0']);
  await redis.hset(`${prefix}:sums:${day}:harbour`, ...filler.flat());
  await happened('launch_acknowledged');
  const { id: bulk } = await producer.cancellations.begin({ tag: 'nightly' }, { actor: 'alice', reason: 'crowd' });
  await producer.cancellations.run(bulk);
  const { total_tokens: tokens } = await happened('tokens_wasted');
  for (const groupBy of ['actor', 'reason', 'cancellation'] as const)
    expect((await producer.waste({ groupBy })).data).toMatchObject([{ key: '(other)', total_tokens: tokens }]);
  expect((await producer.ledger())[0]).toMatchObject({ actor: 'alice', reason: 'crowd', cancellation: bulk });
});
