import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LedgerRow } from '../../src/shared/contract/ledger.ts';
import type { Lane } from '../../src/shared/store/lane.ts';
import { observed, openStores, rowsOf, wasteOf } from '../support/store.ts';
import { type Sent, Shelf } from './shelf.ts';

/** Calls only the scripts, in random order, as workers would that die, sleep and wake up, and hear things twice or late. */
interface Calm {
  readonly nothing?: never;
}
type Step = fc.AsyncCommand<Calm, Shelf>;
type Act = (shelf: Shelf) => Promise<unknown>;

function step(name: string, act: Act): Step {
  return {
    check: () => true,
    toString: () => name,
    async run(_model, shelf) {
      await act(shelf);
      expect(await shelf.problems()).toEqual([]);
    },
  };
}

const at = <Value>(values: Value[], position: number): Value | undefined =>
  values[position % Math.max(1, values.length)];

/** Calls the step with the job, the intent or the sent create at a position, and does nothing if there is none yet. */
const onJob = (name: string, act: (id: string, shelf: Shelf) => Promise<unknown>) =>
  fc.nat(9).map(n => step(`${name}(${n})`, async shelf => given(at(shelf.jobs, n), id => act(id, shelf))));
const onSent = <Extra>(
  name: string,
  extra: fc.Arbitrary<Extra>,
  act: (sent: Sent, extra: Extra, shelf: Shelf) => Promise<unknown>,
) =>
  fc
    .tuple(fc.nat(9), extra)
    .map(([n, more]) =>
      step(`${name}(${n}, ${JSON.stringify(more)})`, async shelf =>
        given(at(shelf.sent, n), sent => act(sent, more, shelf)),
      ),
    );

async function given<Value>(value: Value | undefined, act: (value: Value) => Promise<unknown>): Promise<void> {
  if (value !== undefined) await act(value);
}

const tokens = fc.constantFrom(undefined, 50, 100, 200);

const accept = fc
  .tuple(
    fc.integer({ min: 1, max: 2 }),
    fc.constantFrom('fail' as const, 'relaunch' as const),
    fc.constantFrom('a', 'b'),
  )
  .map(([attempts, onUnknown, tenant]) =>
    step(`accept(${attempts}, ${onUnknown}, ${tenant})`, shelf => shelf.accept(attempts, onUnknown, tenant)),
  );
const intend = onJob('intend', (id, shelf) => shelf.intend(id));
/** Sometimes a gateway answers it with the response of another create. */
const send = fc.tuple(fc.nat(9), fc.nat(9), fc.boolean()).map(([n, other, isShared]) =>
  step(`send(${n}, ${isShared ? `as ${other}` : 'new'})`, async shelf => {
    const intent = at(shelf.intents, n);
    if (!intent || shelf.sent.some(one => one.epoch === intent.epoch)) return;
    const responseId = (isShared && at(shelf.sent, other)?.responseId) || `resp_${shelf.sent.length}`;
    shelf.sent.push({ ...intent, responseId });
  }),
);
const hear = onSent('hear', fc.constantFrom('queued', 'in_progress'), ({ id, epoch, responseId }, status, { store }) =>
  store.run('acknowledge', { id, epoch, response_id: responseId, first_poll_ms: 10, observation: observed(status) }),
);
const lose = fc.nat(9).map(n =>
  step(`lose(${n})`, async ({ intents, store }) =>
    given(at(intents, n), async ({ id, epoch }) => {
      await store.run('resolve', { id, epoch, how: 'unknown', code: 'x', grace_ms: 0, witnessed: false });
    }),
  ),
);
const refuse = fc.tuple(fc.nat(9), fc.constantFrom('failed', 'later', 'alarm', 'rate')).map(([n, how]) =>
  step(`refuse(${n}, ${how})`, async ({ intents, sent, store }) => {
    const intent = at(intents, n);
    if (!intent || sent.some(one => one.epoch === intent.epoch)) return;
    const refused = { ...intent, how: 'refused' as const, code: 'x' };
    if (how === 'failed') return await store.run('resolve', { ...refused, next: 'failed', message: 'No.' });
    const hold = how === 'later' ? undefined : { of: 'account' as const, kind: how as 'alarm', code: 'x', for_ms: 100 };
    return await store.run('resolve', { ...refused, next: 'queued', due_in_ms: 0, hold });
  }),
);
const relaunch = onJob('relaunch', async (id, { store }) => {
  const epoch = (await store.record(id))?.epoch ?? 0;
  const { reply } = await store.run('rerun', { id, epoch, code: 'launch_unknown', due_in_ms: 0, grace_ms: 0 });
  if (reply === 'exhausted')
    await store.run('decide', { id, status: 'failed', epoch, code: 'launch_unknown', message: '' });
});
const rerun = onSent('rerun', fc.tuple(tokens, fc.boolean()), async (sent, [total, counts], shelf) => {
  const { id, responseId: response_id } = sent;
  const look = await shelf.show(response_id, 'failed', total);
  const run = { id, response_id, code: 'server_error', counts, due_in_ms: 0, observation: look };
  const { reply } = await shelf.store.run('rerun', run);
  // The caller does this too: what was observed still belongs in the ledger.
  if (reply !== 'queued') await shelf.store.run('charge', { response_id, observation: look });
});
const end = onSent(
  'end',
  fc.tuple(fc.constantFrom('completed', 'failed', 'cancelled'), tokens, fc.constantFrom('own', 'adopter-0')),
  async ({ id: own, responseId: response_id }, [status, total, by], shelf) => {
    const { store } = shelf;
    const id = by === 'own' ? own : by;
    const look = await shelf.show(response_id, status, total);
    const facts = { id, response_id, observation: look };
    const { reply } = await store.run(
      'decide',
      status === 'completed'
        ? { ...facts, status, has_result: true }
        : status === 'failed'
          ? { ...facts, status, code: 'x', message: '' }
          : { ...facts, status: 'cancelled', cause: 'cancelled', actor: 'provider' },
      '{}',
    );
    if (reply !== 'decided') await store.run('charge', { response_id, observation: look });
  },
);
const cancel = fc
  .nat(11)
  .map(n =>
    step(`cancel(${n})`, async ({ jobs, adopters, store }) =>
      given(at([...jobs, ...adopters], n), id =>
        store.run('decide', { id, status: 'cancelled', cause: 'cancelled', actor: `actor-${n % 3}` }),
      ),
    ),
  );
const adopt = onSent('adopt', fc.tuple(fc.nat(1), fc.constantFrom('a', 'b')), ({ responseId }, [n, tenant], shelf) =>
  shelf.store.run('adopt', {
    id: shelf.adopters[n] ?? '',
    response_id: responseId,
    tenant,
    tags: '["g"]',
    tag_list: ['g'],
    model: 'unknown',
    deadline_ms: 1_000_000,
  }),
);
const identify = fc.nat(1).map(n =>
  step(`identify(${n})`, async ({ adopters, sent, store }) => {
    const id = adopters[n] ?? '';
    const record = await store.record(id);
    const launch = sent.find(one => one.responseId === record?.response_id);
    if (!launch) return;
    const look = { ...observed('in_progress'), served_model: 'served' };
    await store.run('identify', { id, response_id: launch.responseId, launch, observation: look, first_poll_ms: 10 });
  }),
);
const look = onSent(
  'look',
  fc.tuple(fc.constantFrom('in_progress', 'cancelled', 'completed'), tokens, fc.boolean(), fc.boolean()),
  async ({ responseId }, [status, total, isLast, isCancelHeard], shelf) =>
    await shelf.store.run('charge', {
      response_id: responseId,
      observation: await shelf.show(responseId, status, total),
      ...(isLast ? { window_ms: 0 } : {}),
      ...(isCancelHeard ? { cancel_acknowledged: true } : {}),
    }),
);
const release = fc.constant(step('release', ({ store }) => store.run('release', { scope: 'account', limit: 10 })));

function keyOf(row: LedgerRow, groupBy: 'cause' | 'actor' | 'model' | 'tenant' | 'day'): string {
  return groupBy === 'day' ? new Date(row.at).toISOString().slice(0, 10) : (row[groupBy] ?? '');
}

/** The expected sums, computed from the rows. */
async function expectSumsOfRows(store: Lane): Promise<void> {
  const rows = await rowsOf(store, {});
  const of = (kind: string, measure: (row: LedgerRow) => number) =>
    rows.filter(row => row.kind === kind).reduce((sum, row) => sum + measure(row), 0);
  const totalTokens = (row: LedgerRow) => row.usage?.total_tokens ?? 0;
  const expected = {
    responses: of('wasted', () => 1),
    pending: of('wasted', row => Number(row.status === 'pending')),
    unknown: of('wasted', row => Number(row.status === 'unknown')),
    total_tokens: of('wasted', totalTokens),
    cost_usd_micros: of('wasted', row => row.cost_usd_micros ?? 0),
    used_responses: of('used', () => 1),
    used_total_tokens: of('used', totalTokens),
  };
  for (const groupBy of ['cause', 'actor', 'model', 'tenant', 'day'] as const) {
    const { data, totals } = await wasteOf(store, { groupBy });
    expect(totals, groupBy).toMatchObject(expected);
    expect(
      data.reduce((sum, { total_tokens }) => sum + total_tokens, 0),
      groupBy,
    ).toBe(expected.total_tokens);
    for (const sum of data) {
      const own = rows.filter(row => row.kind === 'wasted' && keyOf(row, groupBy) === sum.key);
      expect(sum.responses, `${groupBy} ${sum.key}`).toBe(own.length);
      expect(sum.total_tokens, `${groupBy} ${sum.key}`).toBe(own.reduce((all, row) => all + totalTokens(row), 0));
    }
    const below = data.filter(sum => Object.values(sum).some(value => typeof value === 'number' && value < 0));
    expect(below, `I3: nothing by ${groupBy} is below zero`).toEqual([]);
  }
}

test('I2, I3, I11: the scripts in any order, by callers that sleep, die, and hear twice: one outcome, one row, true sums', {
  timeout: 240_000,
}, async () => {
  const steps = [accept, intend, intend, send, send, hear, hear, lose, refuse, relaunch, rerun, end, cancel, adopt];
  const commands = fc.commands([...steps, identify, look, release], { maxCommands: 60, size: 'max' });
  await fc.assert(
    fc.asyncProperty(commands, async life => {
      const { store, close } = await openStores();
      try {
        const shelf = new Shelf(store);
        await shelf.accept(2, 'relaunch', 'a');
        await fc.asyncModelRun(() => ({ model: {}, real: shelf }), life);
        await expectSumsOfRows(store);
      } finally {
        await close();
      }
    }),
    { numRuns: 200 },
  );
});
