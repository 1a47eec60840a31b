import { expect, test } from 'vitest';
import { audit } from '../../src/cli/reports/audit.ts';
import type { Job } from '../../src/shared/contract/job.ts';
import { scripted } from '../support/harness.ts';
import { startScene } from '../support/scene.ts';
import { observed } from '../support/store.ts';

/** A lost worker is noticed after four seconds, because these tests are about what happens afterwards. */
const short = { HEADSTONE_LOCK_MS: '2000' };
const relaunch = { onUnknownLaunch: 'relaunch' } as const;

type Scene = Awaited<ReturnType<typeof startScene>>;

/** Waits until every response is settled and every launch is accounted for, then compares Headstone's ledger with the provider's (I1, I3). */
async function differences({ producer, ledger }: Scene, ids: string[]): Promise<string[]> {
  await expect
    .poll(async () => (await producer.ledger()).filter(row => row.status === 'pending').length, { timeout: 20_000 })
    .toBe(0);
  const jobs = (await Promise.all(ids.map(id => producer.get(id)))) as Job[];
  return audit({ jobs, rows: await producer.ledger(), simulator: await ledger() });
}

test('I6, relaunch: a worker killed in its POST: one more launch, and the first is reported unknown', {
  timeout: 60_000,
}, async () => {
  const scene = await startScene(short);
  const { producer, startWorker, ledger, logged } = scene;
  const doomed = await startWorker();
  const { id } = await producer.enqueue(scripted({ create_ms: 1000 }), relaunch);
  await expect.poll(async () => (await ledger()).creates, { timeout: 10_000, interval: 5 }).toBe(1);
  doomed.kill('SIGKILL');
  await startWorker();
  await logged('job_rerun');
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  expect((await producer.get(id))?.launches.map(({ state }) => state)).toEqual(['unknown', 'acknowledged']);
  expect((await ledger()).creates).toBe(2);
  expect(await differences(scene, [id])).toEqual([]);
});

test('I6, relaunch: a worker killed while the grace runs: another ends it, with one more launch', {
  timeout: 60_000,
}, async () => {
  const scene = await startScene({ ...short, HEADSTONE_UNKNOWN_GRACE_MS: '3000' });
  const { producer, startWorker, ledger, logged } = scene;
  const doomed = await startWorker();
  const { id } = await producer.enqueue(scripted({ create: 'reset', create_times: 1 }), relaunch);
  await logged('launch_unknown');
  doomed.kill('SIGKILL');
  await startWorker();
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  expect((await ledger()).creates).toBe(2);
  expect(await differences(scene, [id])).toEqual([]);
});

test('I3, I7, superseded: a frozen worker wakes after its job was launched again: its response is cancelled and booked', {
  timeout: 60_000,
}, async () => {
  const scene = await startScene(short);
  const { producer, startWorker, ledger, logged } = scene;
  const frozen = await startWorker();
  const { id } = await producer.enqueue(
    scripted({ create_ms: 1500, duration_ms: 1500, flip_after_ms: 300, input_tokens: 100, output_tokens: 900 }),
    relaunch,
  );
  await expect.poll(async () => (await ledger()).creates, { timeout: 10_000, interval: 5 }).toBe(1);
  frozen.kill('SIGSTOP');
  await startWorker();
  await logged('job_rerun');
  await expect.poll(async () => (await producer.get(id))?.status, { timeout: 10_000 }).toBe('running');
  frozen.kill('SIGCONT');
  expect(await logged('response_unwanted')).toMatchObject({ job_id: id, cause: 'superseded' });
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  expect(await differences(scene, [id])).toEqual([]);
  const rows = await producer.ledger();
  expect(rows.map(({ kind, cause, usage }) => [kind, cause, usage?.total_tokens]).sort()).toEqual([
    ['used', null, 1000],
    ['wasted', 'superseded', 1000],
  ]);
  expect((await producer.waste({ groupBy: 'cause' })).data).toMatchObject([{ key: 'superseded', total_tokens: 1000 }]);
  const { responses } = await ledger();
  expect(responses.map(({ cancels }) => cancels).sort()).toEqual([0, 1]);
});

test('I6, relaunch: an id that turns up before the second launch is taken, and nothing is launched again', {
  timeout: 60_000,
}, async () => {
  const scene = await startScene(short);
  const { producer, startWorker, ledger, logged, lines } = scene;
  const frozen = await startWorker();
  const { id } = await producer.enqueue(scripted({ create_ms: 1500 }), relaunch);
  await expect.poll(async () => (await ledger()).creates, { timeout: 10_000, interval: 5 }).toBe(1);
  frozen.kill('SIGSTOP');
  await producer.pauseLaunch(true);
  await startWorker();
  await logged('job_rerun');
  frozen.kill('SIGCONT');
  await logged('launch_acknowledged');
  await producer.pauseLaunch(false);
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  expect((await ledger()).creates).toBe(1);
  expect(lines.filter(({ event }) => event === 'response_unwanted')).toEqual([]);
  expect(await differences(scene, [id])).toEqual([]);
});

test('I5, relaunch: a worker that dies between the decision to launch again and its queue entry', {
  timeout: 60_000,
}, async () => {
  const scene = await startScene(short);
  const { producer, startWorker, ledger } = scene;
  const { id } = await producer.enqueue(scripted(), relaunch);
  const store = await producer.store.laneOf(id);
  const intent = await store.run('intend', { id, token: 'a worker that died', max_in_flight: 10 });
  if (intent.reply !== 'intended') throw new Error(`Not intended: ${intent.reply}`);
  const { epoch } = intent;
  await store.run('resolve', { id, epoch, how: 'unknown', code: 'timeout', grace_ms: 0, witnessed: true });
  const rerun = await store.run('rerun', { id, epoch, code: 'launch_unknown', due_in_ms: 0, grace_ms: 0 });
  expect(rerun.reply).toBe('queued');
  // The step is done, but its entry was never added to the queue, and the entry of the enqueue is gone.
  await store.queues.launch.drain();
  expect(await store.queues.launch.getJobCountByTypes('waiting', 'delayed', 'prioritized')).toBe(0);
  await startWorker();
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  expect((await ledger()).creates).toBe(1);
  expect((await producer.get(id))?.launches.map(({ state }) => state)).toEqual(['unknown', 'acknowledged']);
});

test('I3, I10, superseded: a worker that dies between the record of a superseded response and its cancel', {
  timeout: 60_000,
}, async () => {
  const scene = await startScene(short);
  const { producer, startWorker, ledger, simulator } = scene;
  const { id } = await producer.enqueue(scripted({ duration_ms: 1500 }), relaunch);
  const store = await producer.store.laneOf(id);
  const intent = await store.run('intend', { id, token: 'a worker that died', max_in_flight: 10 });
  if (intent.reply !== 'intended') throw new Error(`Not intended: ${intent.reply}`);
  const { epoch } = intent;
  await store.run('resolve', { id, epoch, how: 'unknown', code: 'timeout', grace_ms: 0, witnessed: true });
  await store.run('rerun', { id, epoch, code: 'launch_unknown', due_in_ms: 0, grace_ms: 0 });
  await startWorker();
  await expect.poll(async () => (await producer.get(id))?.status, { timeout: 10_000 }).toBe('running');
  // The response of the first launch, as the provider reports it. The worker that recorded it died before the cancel.
  const [second] = (await ledger()).responses;
  const mark = `${second?.metadata.headstone?.split('/')[0]}/${id}/${epoch}`;
  const created = await fetch(`${simulator.url}/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer any' },
    body: JSON.stringify({ model: 'gpt-5.5', input: 'x', background: true, metadata: { headstone: mark } }),
  });
  const first = (await created.json()) as { id: string };
  const { reply } = await store.run('acknowledge', {
    id,
    epoch,
    response_id: first.id,
    first_poll_ms: 10,
    observation: observed('queued'),
  });
  expect(reply).toBe('unwanted');
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  await expect
    .poll(async () => (await ledger()).responses.map(({ cancels }) => cancels).sort(), { timeout: 10_000 })
    .toEqual([0, 1]);
  expect(await differences(scene, [id])).toEqual([]);
});

test('I6, attempts: a worker killed after a run has failed: at most so many paid launches, each booked once', {
  timeout: 60_000,
}, async () => {
  const scene = await startScene(short);
  const { producer, startWorker, ledger, lines } = scene;
  let doomed = await startWorker();
  const { id } = await producer.enqueue(scripted({ end: 'failed', duration_ms: 300 }), { attempts: 3 });
  for (const runs of [1, 2]) {
    // Killed as soon as the run has ended at the provider, so before, during or after the step that launches again.
    await expect
      .poll(async () => (await ledger()).responses.filter(({ status }) => status === 'failed').length, {
        timeout: 10_000,
        interval: 5,
      })
      .toBe(runs);
    doomed.kill('SIGKILL');
    await doomed.ended;
    doomed = await startWorker();
  }
  expect(await producer.wait(id)).toMatchObject({ status: 'failed' });
  expect((await ledger()).creates).toBeLessThanOrEqual(3);
  // It also checks that each response has a row, except one whose worker died before its id was written.
  expect(await differences(scene, [id])).toEqual([]);
  const rows = await producer.ledger();
  expect(rows.every(({ kind, cause }) => kind === 'wasted' && cause === 'failed')).toBe(true);
  // The last worker's line may come a moment after its outcome.
  await expect.poll(() => lines.filter(({ event }) => event === 'job_decided').length).toBe(1);
});

test('I3, I6, attempts and relaunch under kills at random: no launch too many, and the books are the provider’s', {
  timeout: 120_000,
}, async () => {
  const scene = await startScene(short);
  const { producer, startWorker, ledger, lines } = scene;
  const workers = [await startWorker(), await startWorker()];
  const jobs = Array.from({ length: 40 }, (_, n) => ({
    request: scripted(
      {
        // Long enough for the last of them to outlive the last kill.
        duration_ms: 500 + n * 120,
        create_ms: 50,
        ...(n % 4 === 0 ? { end: 'failed' as const } : {}),
        ...(n % 9 === 0 ? { create: 'truncated' as const, create_times: 1 } : {}),
      },
      `Prompt ${n}`,
    ),
    options: { attempts: 2, ...(n % 2 === 0 ? relaunch : {}) },
  }));
  const ids = (await producer.enqueueMany(jobs)).map(({ id }) => id);
  for (const victim of [0, 1, 0]) {
    // Killed after a number of log lines, in the middle of whatever the worker is doing.
    const enough = lines.length + 15;
    await expect.poll(() => lines.length, { timeout: 20_000, interval: 5 }).toBeGreaterThan(enough);
    workers[victim]?.kill('SIGKILL');
    await workers[victim]?.ended;
    workers[victim] = await startWorker();
  }
  await Promise.all(ids.map(id => producer.wait(id)));
  expect(await differences(scene, ids)).toEqual([]);
  const launched = Map.groupBy((await ledger()).responses, ({ metadata }) => metadata.headstone?.split('/')[1]);
  for (const id of ids) {
    const { launches } = (await producer.get(id)) as Job;
    const known = launches.filter(({ state }) => state === 'acknowledged').length;
    const lost = launches.filter(({ state }) => state === 'unknown').length;
    expect(known).toBeLessThanOrEqual(2);
    expect(launched.get(id)?.length ?? 0).toBeLessThanOrEqual(known + lost);
  }
});
