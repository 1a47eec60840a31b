import { expect, test } from 'vitest';
import { acceptJob, intendJob, observed, openStores, redisOf, relaunch, runJob } from '../support/store.ts';

test('I7: a worker that lost its claim changes nothing, except truths that only grow', async () => {
  const { store } = await openStores();
  await acceptJob(store, 'job', { on_unknown: 'relaunch' });
  const oldEpoch = await intendJob(store, 'job');
  const grace_ms = 1;
  await store.run('resolve', {
    id: 'job',
    epoch: oldEpoch,
    how: 'unknown',
    code: 'worker_lost',
    grace_ms,
    witnessed: false,
  });
  await expect
    .poll(() => store.run('rerun', { id: 'job', epoch: oldEpoch, code: 'launch_unknown', due_in_ms: 0, grace_ms }))
    .toMatchObject({ reply: 'queued' });
  await relaunch(store, 'job', 'resp_new');
  const before = await store.record('job');

  // The old worker wakes up and reports what it knows.
  const refused = await store.run('resolve', {
    id: 'job',
    epoch: oldEpoch,
    how: 'refused',
    next: 'failed',
    code: 'x',
    message: 'y',
  });
  expect(refused.reply).toBe('stale');
  expect(await store.record('job')).toMatchObject({ status: 'running', response_id: 'resp_new', epoch: before?.epoch });
  const late = await store.run('acknowledge', {
    id: 'job',
    epoch: oldEpoch,
    response_id: 'resp_old',
    first_poll_ms: 10,
    observation: observed('queued'),
  });
  expect(late).toMatchObject({ reply: 'unwanted', cause: 'superseded' });
  expect(await store.record('job')).toMatchObject({ status: 'running', response_id: 'resp_new' });
  expect(await store.row('resp_old')).toMatchObject({ kind: 'wasted', cause: 'superseded', job_id: 'job' });

  const stale = await store.run(
    'decide',
    {
      id: 'job',
      status: 'completed',
      response_id: 'resp_old',
      observation: observed('completed', 50),
      has_result: true,
    },
    '{"id":"resp_old"}',
  );
  expect(stale.reply).toBe('stale');
  expect(await redisOf(store).exists(store.keys.result('job'))).toBe(0);
});

test('I7: a reused id never meets the epoch of its predecessor', async () => {
  const { store } = await openStores({ HEADSTONE_RECORD_TTL_MS: '10' });
  const first = await runJob(store, 'job', 'resp_1');
  await store.run(
    'decide',
    { id: 'job', status: 'completed', response_id: 'resp_1', observation: observed('completed', 20), has_result: true },
    '{}',
  );
  await expect
    .poll(async () => {
      await store.run('forget', { limit: 10 });
      return await store.record('job');
    })
    .toBeNull();
  const second = await runJob(store, 'job', 'resp_2');
  expect(second).toBeGreaterThan(first);
  const late = await store.run('acknowledge', {
    id: 'job',
    epoch: first,
    response_id: 'resp_3',
    first_poll_ms: 10,
    observation: observed('queued'),
  });
  expect(late).toMatchObject({ reply: 'unwanted' });
  expect(await store.record('job')).toMatchObject({ response_id: 'resp_2' });
});

test('I7: a launch found after its job was given up is an orphan, followed and booked', async () => {
  const { store } = await openStores();
  await acceptJob(store, 'job');
  const epoch = await intendJob(store, 'job');
  await store.run('decide', { id: 'job', status: 'failed', code: 'launch_unknown', message: 'm' });
  const found = await store.run('acknowledge', {
    id: 'job',
    epoch,
    response_id: 'resp_1',
    first_poll_ms: 10,
    observation: observed('queued'),
  });
  expect(found).toMatchObject({ reply: 'unwanted', cause: 'orphaned', work: [] });
  expect(await store.queues.isKept('settle', 'resp_1')).toBe(true);
});

test('I7: a worker that was refused and froze fails no job that another has launched since', async () => {
  const { store } = await openStores();
  const failed = { status: 'failed', code: 'insufficient_quota', message: 'held' } as const;
  await runJob(store, 'job', 'resp_of_another');
  expect((await store.run('decide', { id: 'job', ...failed, unlaunched: true })).reply).toBe('stale');
  await acceptJob(store, 'waits');
  expect((await store.run('decide', { id: 'waits', ...failed, unlaunched: true })).reply).toBe('decided');
});

test('I7: a worker that heard 404 and froze fails no job whose response another has seen since', async () => {
  const { store } = await openStores();
  await runJob(store, 'job', 'resp');
  const failed = { status: 'failed', response_id: 'resp', code: 'response_not_found', message: 'gone' } as const;
  const about = { id: 'job', response_id: 'resp' };
  await store.run('absent', { ...about, absent: true });
  await expect.poll(async () => (await store.run('absent', { ...about, absent: true })).for_ms).toBeGreaterThan(20);
  await store.run('absent', { ...about, absent: false });
  expect((await store.run('decide', { id: 'job', ...failed, missing_ms: 20 })).reply).toBe('stale');
  await store.run('absent', { ...about, absent: true });
  await expect
    .poll(async () => (await store.run('decide', { id: 'job', ...failed, missing_ms: 20 })).reply)
    .toBe('decided');
});
