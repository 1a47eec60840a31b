import { expect, test } from 'vitest';
import { usd } from '../../src/shared/runtime/format.ts';
import { priceSentence } from '../../src/shared/runtime/outcome-sentence.ts';
import { scripted, startHarness } from '../support/harness.ts';
import { observed, openStores, redisOf, runJob, wasteOf } from '../support/store.ts';

test('I3: what is unknown stands in the report with its upper bound, until its usage is seen', async () => {
  const { producer, happened } = await startHarness();
  const bounded = await producer.enqueue({
    ...scripted({ duration_ms: 1700, flip_after_ms: 200 }),
    max_output_tokens: 2000,
  });
  const unbounded = await producer.enqueue({
    ...scripted({ duration_ms: 1700, flip_after_ms: 200 }),
    tools: [{ type: 'web_search' }],
  });
  for (const { id } of [bounded, unbounded]) {
    await happened('launch_acknowledged', ({ job_id }) => job_id === id);
    await producer.cancel(id);
  }
  const { totals } = await producer.waste();
  expect(totals).toMatchObject({ pending: 2, unbounded: 1, total_tokens: 0 });
  expect(totals.most_tokens).toBeGreaterThan(2000);
  expect(totals.most_cost_usd_micros).toBeGreaterThan(60_000);
  for (const { id } of [bounded, unbounded]) {
    const { total_tokens } = await happened('tokens_wasted', ({ job_id }) => job_id === id);
    if (id === bounded.id) expect(total_tokens).toBeLessThan(totals.most_tokens);
  }
  const settled = await producer.waste();
  expect(settled.totals).toMatchObject({
    pending: 0,
    unknown: 0,
    unbounded: 0,
    most_tokens: 0,
    most_cost_usd_micros: 0,
  });
  expect(settled.late.map(({ responses }) => responses)).toEqual([2, 0, 0, 0, 0, 0]);
  expect(settled.late.map(({ under_ms }) => under_ms)).toEqual([10_000, 60_000, 300_000, 900_000, 3_600_000, null]);
  // The histogram covers only the tenant that it is asked for.
  expect((await producer.waste({ tenant: 'nobody' })).late.every(({ responses }) => responses === 0)).toBe(true);
});

test('I3: a row whose usage never came keeps its bound', async () => {
  const { producer, happened } = await startHarness();
  const request = { ...scripted({ stuck: true, cancel: 'honour' }), max_output_tokens: 500 };
  const { id } = await producer.enqueue(request);
  await happened('launch_acknowledged');
  await producer.cancel(id);
  await happened('tokens_wasted', ({ status }) => status === 'unknown');
  const { totals } = await producer.waste({ groupBy: 'cause' });
  expect(totals).toMatchObject({ unknown: 1, pending: 0, unbounded: 0 });
  const [row] = await producer.ledger();
  expect(row?.most_tokens).toBe(totals.most_tokens);
});

test('I3: what is pending has an estimate from the finished runs of its model, in every dimension, and none without them', async () => {
  // A lane goes by the runs that it has had itself.
  const { producer, happened } = await startHarness({ env: { HEADSTONE_LANES: '1' } });
  const done = await producer.enqueue(scripted({ input_tokens: 100, output_tokens: 900 }));
  await producer.wait(done.id);
  const stuck = (model: string) =>
    producer.enqueue({ ...scripted({ stuck: true, cancel: 'honour' }, model), model }, { tags: ['nightly'] });
  for (const { id } of [await stuck('gpt-5.5'), await stuck('gpt-5-mini')]) {
    await happened('launch_acknowledged', ({ job_id }) => job_id === id);
    await producer.cancel(id, { reason: 'wrong prompt' });
  }
  for (const groupBy of ['tag', 'reason'] as const) {
    const { data } = await producer.waste({ groupBy });
    const group = data.find(({ key }) => key === (groupBy === 'tag' ? 'nightly' : 'wrong prompt'));
    expect(group).toMatchObject({ responses: 2, pending: 2, total_tokens: 0, likely_tokens: 1000, unestimated: 1 });
    expect(group?.likely_cost_usd_micros).toBeGreaterThan(0);
  }
  // Once it is settled without a usage, the estimate stays, because the usage is unknown and not zero.
  await happened('tokens_wasted');
  await happened('tokens_wasted', ({ model }) => model === 'gpt-5-mini');
  const { totals } = await producer.waste();
  expect(totals).toMatchObject({ pending: 0, unknown: 2, likely_tokens: 1000, unestimated: 1 });
  const rows = (await producer.ledger()).filter(({ kind }) => kind === 'wasted');
  const known = rows.find(({ model }) => model === 'gpt-5.5');
  expect(known).toMatchObject({ likely_tokens: 1000, likely_cost_usd_micros: totals.likely_cost_usd_micros });
  expect(rows.find(({ model }) => model === 'gpt-5-mini')).toMatchObject({
    likely_tokens: null,
    likely_cost_usd_micros: null,
  });
  const job = await producer.get(known?.job_id ?? '');
  expect(job && priceSentence(job)).toBe(
    `The provider never showed what it cost: about ${usd(totals.likely_cost_usd_micros)}.`,
  );
});

test('an estimate goes by the runs that have a price, and is none for a cost if no run has one', async () => {
  const { store } = await openStores();
  const run = async (id: string, cost: number | undefined) => {
    await runJob(store, id, `resp_${id}`);
    const { cost_usd_micros: _, ...seen } = observed('completed', 50);
    const observation = cost === undefined ? seen : { ...seen, cost_usd_micros: cost };
    const decision = { status: 'completed', response_id: `resp_${id}`, has_result: true } as const;
    await store.run('decide', { id, ...decision, observation }, '{}');
  };
  const cancelled = async (id: string) => {
    await runJob(store, id, `resp_${id}`);
    await store.run('decide', { id, status: 'cancelled', cause: 'cancelled' });
    return await store.row(`resp_${id}`);
  };
  await run('unpriced', undefined);
  expect(await cancelled('a')).toMatchObject({ likely_tokens: 50, likely_cost_usd_micros: null });
  // What has no estimate of its cost is counted as such, so that no sum passes for whole.
  expect((await wasteOf(store, {})).totals).toMatchObject({ pending: 1, unestimated: 1, likely_cost_usd_micros: 0 });
  await run('priced', 120);
  expect(await cancelled('b')).toMatchObject({ likely_tokens: 50, likely_cost_usd_micros: 120 });
  expect((await wasteOf(store, {})).totals).toMatchObject({ pending: 2, unestimated: 1, likely_cost_usd_micros: 120 });
});

test('an estimate goes by the newest of the last seven days on which the model has run', async () => {
  const { store } = await openStores();
  const run = async (id: string) => {
    await runJob(store, id, `resp_${id}`);
    const decision = { status: 'completed', response_id: `resp_${id}`, has_result: true } as const;
    await store.run('decide', { id, ...decision, observation: observed('completed', 50) }, '{}');
  };
  const daysAgo = (days: number) => new Date(store.now() - days * 86_400_000).toISOString().slice(0, 10);
  const move = (from: number, to: number) =>
    redisOf(store).rename(store.keys.sums(daysAgo(from), 'default'), store.keys.sums(daysAgo(to), 'default'));
  const likelyOf = async (id: string) => {
    await runJob(store, id, `resp_${id}`);
    await store.run('decide', { id, status: 'cancelled', cause: 'cancelled' });
    return (await store.row(`resp_${id}`))?.likely_tokens;
  };
  await run('before');
  await move(0, 6);
  expect(await likelyOf('cancelled')).toBe(50);
  await move(6, 7);
  expect(await likelyOf('cancelled-later')).toBeNull();
});
