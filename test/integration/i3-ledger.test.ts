import { expect, onTestFinished, test, vi } from 'vitest';
import { audit } from '../../src/cli/reports/audit.ts';
import { HeadstoneError } from '../../src/shared/contract/errors.ts';
import type { Job } from '../../src/shared/contract/job.ts';
import type { Script } from '../../src/simulator/script.ts';
import { startLife } from '../model/life.ts';
import { type Harness, scripted, startHarness } from '../support/harness.ts';
import { redisOf } from '../support/store.ts';
import { answer, startUpstream } from '../support/upstream.ts';

const flip = { duration_ms: 300, flip_after_ms: 200 };

const wishes: { script: Partial<Script>; cancel: boolean }[] = [
  { script: {}, cancel: false },
  { script: { end: 'incomplete' }, cancel: false },
  { script: { end: 'failed' }, cancel: false },
  { script: { usage: false }, cancel: false },
  { script: { create: 'invalid' }, cancel: false },
  { script: { create: 'reset' }, cancel: false },
  { script: { create: 'truncated' }, cancel: false },
  { script: { read: 'malformed', read_times: 2 }, cancel: false },
  { script: { ...flip }, cancel: true },
  { script: { ...flip, end: 'incomplete' }, cancel: true },
  { script: { ...flip, end: 'failed' }, cancel: true },
  { script: { ...flip, usage_after_ms: 600 }, cancel: true },
  { script: { ...flip, usage: false }, cancel: true },
  { script: { duration_ms: 300, cancel: 'honour' }, cancel: true },
  { script: { duration_ms: 300, cancel: 'too_late' }, cancel: true },
  { script: { ...flip, cancel_fails: 2 }, cancel: true },
];

test('I3: every response has one row, and its tokens are the provider’s to the token', async () => {
  const harness = await startHarness({ workers: 2 });
  const { producer, happened } = harness;
  const ids = await Promise.all(
    wishes.map(async ({ script, cancel }, position) => {
      const { id } = await producer.enqueue(scripted(script, `Prompt ${position}`), { tags: ['audit'] });
      if (cancel) {
        await happened('launch_acknowledged', fields => fields.job_id === id);
        expect(await producer.cancel(id)).toEqual({ verdict: 'cancelled' });
      }
      await producer.wait(id);
      return id;
    }),
  );
  await untilSettled(harness);
  const jobs = await Promise.all(ids.map(id => producer.get(id)));
  const rows = await producer.ledger();
  const simulator = await harness.simulatorLedger();
  expect(audit({ jobs: jobs as Job[], rows, simulator })).toEqual([]);
  // Of the 16 requests, one was refused and has no response, and two lost their id.
  expect(simulator.responses).toHaveLength(15);
  expect(rows).toHaveLength(13);

  const { totals } = await producer.waste();
  const wasted = rows.filter(row => row.kind === 'wasted');
  expect(totals.responses).toBe(wasted.length);
  expect(totals.total_tokens).toBe(sum(wasted.map(row => row.usage?.total_tokens ?? 0)));
  expect(totals.cost_usd_micros).toBe(sum(wasted.map(row => row.cost_usd_micros ?? 0)));
  expect(totals.used_total_tokens).toBe(
    sum(rows.filter(row => row.kind === 'used').map(row => row.usage?.total_tokens ?? 0)),
  );
  expect(totals.unknown).toBe(wasted.filter(row => row.status === 'unknown').length);
  for (const groupBy of ['model', 'tenant', 'cause', 'tag', 'day'] as const) {
    const { data } = await producer.waste({ groupBy });
    expect(sum(data.map(group => group.total_tokens)), groupBy).toBe(totals.total_tokens);
  }
});

test('I3: one tokens_wasted line a response, with who, why and how much', async () => {
  const { producer, happened, events } = await startHarness();
  const { id } = await producer.enqueue(scripted({ ...flip, input_tokens: 100, output_tokens: 900 }), {
    tenant: 'harbour',
  });
  await happened('launch_acknowledged');
  await producer.cancel(id, { reason: 'wrong prompt', actor: 'alice' });
  const line = await happened('tokens_wasted');
  expect(line).toMatchObject({
    job_id: id,
    model: 'gpt-5.5',
    tenant: 'harbour',
    cause: 'cancelled',
    reason: 'wrong prompt',
    actor: 'alice',
    input_tokens: 100,
    output_tokens: 900,
    total_tokens: 1000,
    cost_usd_micros: 27_500,
    status: 'final',
  });
  expect(line.late_by_ms).toBeGreaterThanOrEqual(200);
  expect(events.filter(({ name }) => name === 'tokens_wasted')).toHaveLength(1);
});

async function untilSettled({ producer }: Harness): Promise<void> {
  await expect
    .poll(async () => (await producer.ledger()).filter(row => row.status === 'pending').length, { timeout: 15_000 })
    .toBe(0);
}

function sum(numbers: number[]): number {
  return numbers.reduce((left, right) => left + right, 0);
}

test('I3: a body with odd fields keeps its usage, and its result stays as it came', async () => {
  const odd = {
    id: 'resp_odd',
    object: 'response',
    status: 'completed',
    model: null,
    output: null,
    incomplete_details: { reason: null },
    error: { code: null },
    usage: { input_tokens: 7, output_tokens: 5 },
    flavour: 'vanilla',
  };
  const upstreamUrl = await startUpstream((_request, _body, response) => answer(response, 200, odd));
  const { producer } = await startHarness({ upstreamUrl });
  const { id } = await producer.enqueue(scripted());
  expect(await producer.wait(id)).toEqual({ id, status: 'completed', response: odd });
  expect(await producer.ledger()).toMatchObject([{ kind: 'used', status: 'final', usage: { total_tokens: 12 } }]);
});

test('I3: while the upstream’s cancel fails the watcher looks all the same', async () => {
  const { producer, happened } = await startHarness({ env: { HEADSTONE_SETTLE_WINDOW_MS: '60000' } });
  const { id } = await producer.enqueue(scripted({ duration_ms: 400, cancel_fails: 1000 }));
  await happened('launch_acknowledged');
  await producer.cancel(id);
  // Long before the end of the window.
  expect(await happened('tokens_wasted')).toMatchObject({ job_id: id, status: 'final' });
});

test('I3, I5: a usage that does not add up is booked as it is, without a price: its result is taken, its waste settled', async () => {
  // Some gateways do not count the cached tokens as input.
  const usage = { input_tokens: 10, output_tokens: 5, total_tokens: 15, input_tokens_details: { cached_tokens: 50 } };
  let creates = 0;
  let isFlipped = false;
  const upstreamUrl = await startUpstream((call, _body, response) => {
    const [, , , given] = (call.url ?? '').split('/');
    if (given === undefined) creates += 1;
    const id = given ?? `resp_${creates}`;
    const isDone = call.method === 'GET' && (id === 'resp_1' || isFlipped);
    const body = { id, model: 'gpt-5.5', output: [], status: 'in_progress', usage: null };
    answer(response, 200, isDone ? { ...body, status: 'completed', usage } : body);
  });
  const { producer, happened } = await startHarness({ upstreamUrl });
  const { id } = await producer.enqueue({ model: 'gpt-5.5', input: 'x' });
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  const unwanted = await producer.enqueue({ model: 'gpt-5.5', input: 'y' });
  await happened('launch_acknowledged', ({ job_id }) => job_id === unwanted.id);
  await producer.cancel(unwanted.id);
  isFlipped = true;
  expect(await happened('tokens_wasted')).toMatchObject({ total_tokens: 15, cost_usd_micros: null, status: 'final' });
  expect((await producer.waste()).totals).toMatchObject({
    unpriced: 1,
    pending: 0,
    total_tokens: 15,
    used_total_tokens: 15,
  });
});

test('I3: an outage in the step that books a late look closes no row without what was seen', async () => {
  const life = await startLife();
  onTestFinished(life.close);
  const { producer } = life;
  const { id } = await producer.enqueue(scripted({ input_tokens: 40, output_tokens: 60, flip_after_ms: 0 }));
  const store = await life.store.laneOf(id);
  await life.tick(id);
  await producer.cancel(id);
  const [row] = await producer.ledger();
  // Many windows ago, as after a long outage.
  await redisOf(store).hset(store.keys.row(row?.response_id ?? ''), 'ended_at', store.now() - 3_600_000);
  life.advance(5000);
  const run = store.run.bind(store);
  let outages = 0;
  vi.spyOn(store, 'run').mockImplementation(async (name, ...given) => {
    const { observation } = given[0] as { observation?: { usage?: string } };
    if (name === 'charge' && observation?.usage !== undefined && outages++ === 0)
      throw new HeadstoneError('store_unreachable', 'Away.');
    return (await run(name, ...(given as [never]))) as never;
  });
  await expect(life.tick(id)).rejects.toThrow('Away.');
  expect((await producer.ledger())[0]).toMatchObject({ status: 'pending' });
  await life.tick(id);
  expect((await producer.ledger())[0]).toMatchObject({ status: 'final', usage: { total_tokens: 100 } });
});
