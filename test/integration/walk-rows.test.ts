import { expect, test } from 'vitest';
import { viewRows } from '../../src/shared/store/view-rows.ts';
import { walkRows } from '../../src/shared/store/walk-rows.ts';
import { scripted, startHarness } from '../support/harness.ts';
import { openStores, runJob } from '../support/store.ts';

test.for(['newest', 'oldest'] as const)(
  'rows that are opened or expire while somebody reads, the %s first, hide none and show none twice',
  async order => {
    const { producer, redis } = await startHarness();
    const done = async (count: number) => {
      const jobs = await producer.enqueueMany(Array.from({ length: count }, () => ({ request: scripted() })));
      for (const { id } of jobs) await producer.wait(id);
    };
    await done(12);
    const lane = producer.store.home;
    const index = lane.keys.rows();
    const [oldest = '', ...others] = await redis.zrange(index, '0', '-1');
    // Four of them were opened in the same millisecond, which is more than are read at once.
    const at = Number(await redis.zscore(index, others[5] ?? ''));
    for (const id of others.slice(4, 8)) await redis.zadd(index, at, id);
    const expected = await redis.zrange(index, '0', '-1');
    const seen: string[] = [];
    const from = Number.NEGATIVE_INFINITY;
    const to = Number.POSITIVE_INFINITY;
    for await (const { response_id: id } of walkRows(lane, { tenant: undefined, from, to, order, page: 3 })) {
      seen.push(id);
      if (seen.length !== 3) continue;
      if (order === 'newest') await done(2);
      else await redis.zrem(index, oldest);
    }
    expect(seen).toEqual(order === 'newest' ? expected.toReversed() : expected);
  },
);

test('a response that still runs is not among those whose usage is not known', async () => {
  const { store } = await openStores();
  await runJob(store, 'running', 'resp_running');
  await runJob(store, 'cancelled', 'resp_cancelled');
  await store.run('decide', { id: 'cancelled', status: 'cancelled', cause: 'cancelled' });
  const { rows } = await viewRows([store], { usage: 'open' });
  expect(rows.map(({ response_id }) => response_id)).toEqual(['resp_cancelled']);
});
