import { expect, test } from 'vitest';
import { observed, openStores, redisOf, rowsOf, runJob } from '../support/store.ts';

test('I9: rows that are older than the ledger goes back are deleted with their index, however many, and no others', async () => {
  const { store } = await openStores();
  const redis = redisOf(store);
  for (const id of ['old', 'new']) {
    await runJob(store, id, `resp_${id}`);
    const outcome = { status: 'completed', response_id: `resp_${id}`, has_result: true } as const;
    await store.run('decide', { id, ...outcome, observation: observed('completed', 40) }, '{}');
  }
  const monthsAgo = store.now() - 100 * 86_400_000;
  const more = Array.from({ length: 1200 }, (_, number) => `resp_more_${number}`);
  for (const responseId of more) await redis.hset(store.keys.row(responseId), 'response_id', responseId);
  await redis.zadd(store.keys.rows(), ...more.flatMap(responseId => [monthsAgo, responseId]));
  await redis.zadd(store.keys.rows(), monthsAgo, 'resp_old');
  for (let time = 0; time < 3; time += 1) await store.run('forget', { limit: 500 });
  expect(await redis.zrange(store.keys.rows(), '0', '-1')).toEqual(['resp_new']);
  expect(await redis.keys(store.keys.row('*'))).toEqual([store.keys.row('resp_new')]);
  expect((await rowsOf(store, {})).map(row => row.response_id)).toEqual(['resp_new']);
});
