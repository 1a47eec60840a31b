import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { acceptJob, intendJob, observed, openStores, redisOf, runJob } from '../support/store.ts';

const RACES = 2000;

test(`I2: of a cancel and a result that meet, exactly one wins, ${RACES} times`, async () => {
  const { store, other } = await openStores();
  let cancelsWon = 0;
  for (let race = 0; race < RACES; race += 1) {
    const id = `job-${race}`;
    const responseId = `resp_${race}`;
    await runJob(store, id, responseId);
    const cancel = () => store.run('decide', { id, status: 'cancelled', cause: 'cancelled' });
    const complete = () =>
      other.run(
        'decide',
        { id, status: 'completed', response_id: responseId, observation: observed('completed', 100), has_result: true },
        '{"id":"x","status":"completed"}',
      );
    // The order of sending alternates, so that each side wins sometimes.
    const [first, second] = await Promise.all(race % 2 === 0 ? [cancel(), complete()] : [complete(), cancel()]);
    const [ofCancel, ofResult] = race % 2 === 0 ? [first, second] : [second, first];
    expect([ofCancel.reply, ofResult.reply].sort()).toEqual(['already', 'decided']);

    const won = ofCancel.reply === 'decided';
    cancelsWon += won ? 1 : 0;
    const result = await redisOf(store).exists(store.keys.result(id));
    expect(result).toBe(won ? 0 : 1);
    const row = await store.row(responseId);
    expect(row?.kind).toBe(won ? 'wasted' : 'used');
    expect((await store.record(id))?.status).toBe(won ? 'cancelled' : 'completed');
  }
  expect(cancelsWon).toBeGreaterThan(0);
  expect(cancelsWon).toBeLessThan(RACES);
}, 120_000);

test('I2: every later decision is told who won, and changes nothing', async () => {
  const { store } = await openStores();
  await runJob(store, 'job', 'resp_1');
  await store.run('decide', { id: 'job', status: 'expired', cause: 'expired' }).then(reply =>
    // By Redis' clock, the deadline is an hour away.
    expect(reply.reply).toBe('early'),
  );
  await store.run('decide', { id: 'job', status: 'cancelled', cause: 'cancelled', reason: 'first', actor: 'a' });
  const before = await redisOf(store).hgetall(store.keys.job('job'));
  const late = await store.run('decide', { id: 'job', status: 'cancelled', cause: 'cancelled', reason: 'second' });
  expect(late).toEqual({ reply: 'already', status: 'cancelled' });
  expect(
    await store.run('decide', { id: 'job', status: 'failed', code: 'x', message: 'y', response_id: 'resp_1' }),
  ).toEqual({ reply: 'already', status: 'cancelled' });
  expect(await redisOf(store).hgetall(store.keys.job('job'))).toEqual(before);
});

test(`I2, I6: of two workers that intend one job, exactly one may launch, ${RACES} times`, async () => {
  const { store, other } = await openStores();
  for (let race = 0; race < RACES; race += 1) {
    const id = `job-${race}`;
    await acceptJob(store, id);
    const replies = await Promise.all(
      [store, other].map(side => side.run('intend', { id, token: randomUUID(), max_in_flight: 1_000_000 })),
    );
    expect(replies.map(reply => reply.reply).sort()).toEqual(['intended', 'unresolved']);
  }
}, 120_000);

test(`I2: of a cancel and a launch that meet, the response is either the job’s or unwanted, ${RACES} times`, async () => {
  const { store, other } = await openStores();
  const seenReplies = new Set<string>();
  for (let race = 0; race < RACES; race += 1) {
    const id = `job-${race}`;
    const responseId = `resp_${race}`;
    await acceptJob(store, id);
    const epoch = await intendJob(store, id);
    const launch = () =>
      other.run('acknowledge', {
        id,
        epoch,
        response_id: responseId,
        first_poll_ms: 10,
        observation: observed('queued'),
      });
    const cancel = () => store.run('decide', { id, status: 'cancelled', cause: 'cancelled' });
    await Promise.all(race % 2 === 0 ? [cancel(), launch()] : [launch(), cancel()]);
    const again = await launch();
    seenReplies.add(again.reply);
    expect(again.reply).toBe('unwanted');
    expect(await store.row(responseId)).toMatchObject({ kind: 'wasted', cause: 'cancelled', job_id: id });
    expect(await redisOf(store).zscore(store.keys.unsettled(), responseId)).not.toBeNull();
  }
}, 120_000);
