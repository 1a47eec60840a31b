import fc from 'fast-check';
import { expect, test } from 'vitest';
import { observed, openStores, redisOf, runJob, wasteOf } from '../support/store.ts';

test('I8: a late result, and a usage that rises later still, change the ledger and never the outcome', async () => {
  const { store } = await openStores();
  await runJob(store, 'job', 'resp_1');
  await store.run('decide', { id: 'job', status: 'cancelled', cause: 'cancelled' });
  const record = await redisOf(store).hgetall(store.keys.job('job'));
  const charge = (status: string, tokens?: number) =>
    store.run('charge', { response_id: 'resp_1', observation: observed(status, tokens) });
  expect(await charge('cancelled')).toMatchObject({ status: 'pending', flipped: false });
  expect(await charge('completed', 100)).toMatchObject({ status: 'final', flipped: true });
  expect(await charge('completed', 140)).toMatchObject({ status: 'final', flipped: false });
  expect(await charge('completed', 90)).toMatchObject({ status: 'final' });
  expect(await store.row('resp_1')).toMatchObject({ usage: { total_tokens: 140 }, kind: 'wasted' });
  expect(await redisOf(store).hgetall(store.keys.job('job'))).toEqual(record);
  expect((await wasteOf(store, {})).totals).toMatchObject({ responses: 1, total_tokens: 140 });
});

test('I8: what was unknown at the end of the window becomes known if it ever shows', async () => {
  const { store } = await openStores();
  await runJob(store, 'job', 'resp_1');
  await store.run('decide', { id: 'job', status: 'cancelled', cause: 'cancelled' });
  expect(await store.run('charge', { response_id: 'resp_1', window_ms: 3_600_000 })).toMatchObject({
    status: 'pending',
  });
  expect(await store.run('charge', { response_id: 'resp_1', window_ms: 0 })).toMatchObject({ status: 'unknown' });
  expect((await wasteOf(store, {})).totals).toMatchObject({ unknown: 1, total_tokens: 0 });
  await store.run('charge', { response_id: 'resp_1', observation: observed('completed', 77) });
  expect(await store.row('resp_1')).toMatchObject({ status: 'final' });
  expect((await wasteOf(store, {})).totals).toMatchObject({ unknown: 0, total_tokens: 77 });
});

const looks = [
  observed('queued'),
  observed('in_progress'),
  observed('cancelled'),
  observed('completed'),
  observed('completed', 100),
  observed('completed', 100),
];

test('I11: looks in any order, and twice, leave the same row and the same sums', async () => {
  const { store } = await openStores();
  let run = 0;
  const final = async (order: typeof looks) => {
    run += 1;
    const [id, responseId] = [`job-${run}`, `resp_${run}`];
    await runJob(store, id, responseId);
    await store.run('decide', { id, status: 'cancelled', cause: 'cancelled' });
    for (const look of order) await store.run('charge', { response_id: responseId, observation: look });
    const row = await store.row(responseId);
    return { status: row?.status, usage: row?.usage, upstream: row?.upstream_status, cost: row?.cost_usd_micros };
  };
  const expected = await final(looks);
  expect(expected).toMatchObject({ status: 'final', upstream: 'completed' });
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray([...looks, ...looks], { minLength: looks.length * 2 }), async order => {
      expect(await final(order)).toEqual(expected);
    }),
    { numRuns: 50 },
  );
  expect((await wasteOf(store, {})).totals).toMatchObject({ responses: run, total_tokens: run * 100 });
});
