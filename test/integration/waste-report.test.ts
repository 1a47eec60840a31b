import { expect, test } from 'vitest';
import { scripted, startHarness } from '../support/harness.ts';

test('I3: what is unknown stands in the report with its upper bound, until its usage is seen', async () => {
  const { producer, happened } = await startHarness();
  const bounded = await producer.enqueue({
    ...scripted({ duration_ms: 700, flip_after_ms: 200 }),
    max_output_tokens: 2000,
  });
  const unbounded = await producer.enqueue({
    ...scripted({ duration_ms: 700, flip_after_ms: 200 }),
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
