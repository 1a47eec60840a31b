import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Lane } from '../../src/shared/store/lane.ts';
import { acceptJob, observed, openStores } from '../support/store.ts';
import {
  accepted,
  acknowledge,
  charge,
  decide,
  intend,
  type Kept,
  rerun,
  resolve,
  type Step,
} from './protocol/record.ts';

/** A step by a script, and the same by the function that the exhaustive check goes by. `launch` counts the launches so far, backwards. */
type Call =
  | { does: 'intend' }
  | { does: 'resolve' | 'acknowledge' | 'rerun' | 'fail' | 'complete' | 'charge'; launch: number }
  | { does: 'cancel' };

const aLaunch = fc.constantFrom(0, 0, 0, 1, 2);
const calls = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant<Call>({ does: 'intend' }) },
    { weight: 1, arbitrary: fc.constant<Call>({ does: 'cancel' }) },
    {
      weight: 9,
      arbitrary: fc.record({
        does: fc.constantFrom('resolve', 'acknowledge', 'acknowledge', 'rerun', 'fail', 'complete', 'charge'),
        launch: aLaunch,
      }) as fc.Arbitrary<Call>,
    },
  ),
  { minLength: 4, maxLength: 16 },
);

const RUNS = 150;
let jobs = 0;

test('the functions of the exhaustive check do what the Lua does', { timeout: 120_000 }, async () => {
  const { store } = await openStores();
  await fc.assert(
    fc.asyncProperty(calls, fc.boolean(), async (sequence, relaunches) => {
      const id = `job-${jobs++}`;
      await acceptJob(store, id, { on_unknown: relaunches ? 'relaunch' : 'fail' });
      const pair = new Pair(store, id, relaunches);
      for (const call of sequence) {
        const [byLua, byModel] = await pair.step(call);
        expect(byLua, JSON.stringify(call)).toBe(byModel);
        expect(await pair.stored(), JSON.stringify(call)).toEqual(pair.kept);
      }
    }),
    { numRuns: RUNS },
  );
});

/** One job in the store, and in the model. */
class Pair {
  kept: Kept = accepted;
  private readonly store: Lane;
  private readonly id: string;
  private readonly relaunches: boolean;
  /** The store's numbers of the intents. */
  private readonly epochs: number[] = [];

  constructor(store: Lane, id: string, relaunches: boolean) {
    this.store = store;
    this.id = id;
    this.relaunches = relaunches;
  }

  /** Returns the two replies. */
  async step(call: Call): Promise<[string, string]> {
    const { id, store } = this;
    if (call.does === 'intend') {
      const reply = await store.run('intend', {
        id,
        token: `token-${jobs}-${this.epochs.length}-${Math.random()}`,
        max_in_flight: 1e6,
      });
      if (reply.reply === 'intended') this.epochs.push(reply.epoch);
      return [reply.reply, this.apply(intend(this.kept, {}))];
    }
    if (call.does === 'cancel') {
      const { reply } = await store.run('decide', { id, status: 'cancelled', cause: 'cancelled' });
      return [reply, this.apply(decide(this.kept, { status: 'cancelled' }, {}))];
    }
    const number = this.epochs.length - call.launch;
    const epoch = this.epochs[number - 1];
    return epoch === undefined ? ['', ''] : await this.ofLaunch(call.does, number, epoch);
  }

  private async ofLaunch(
    does: Exclude<Call['does'], 'intend' | 'cancel'>,
    number: number,
    epoch: number,
  ): Promise<[string, string]> {
    const { id, store, kept } = this;
    const [response, response_id] = [number - 1, this.nameOf(number - 1)];
    const ended = observed('completed', 100);
    switch (does) {
      case 'resolve': {
        const given = { id, epoch, how: 'unknown', code: 'x', grace_ms: 0, witnessed: false } as const;
        return [(await store.run('resolve', given)).reply, this.apply(resolve(kept, number))];
      }
      case 'acknowledge': {
        const given = { id, epoch, response_id, first_poll_ms: 10, observation: observed('queued') };
        return [(await store.run('acknowledge', given)).reply, this.apply(acknowledge(kept, number, response, {}))];
      }
      case 'rerun': {
        const given = { id, epoch, code: 'launch_unknown', due_in_ms: 0, grace_ms: 0 };
        return [(await store.run('rerun', given)).reply, this.apply(rerun(kept, number, this.relaunches))];
      }
      case 'fail': {
        const given = { id, epoch, status: 'failed', code: 'launch_unknown', message: '' } as const;
        return [
          (await store.run('decide', given)).reply,
          this.apply(decide(kept, { status: 'failed', epoch: number }, {})),
        ];
      }
      case 'complete': {
        const given = { id, response_id, status: 'completed', has_result: true, observation: ended } as const;
        return [
          (await store.run('decide', given, '{}')).reply,
          this.apply(decide(kept, { status: 'completed', response }, {})),
        ];
      }
      case 'charge':
        return [
          (await store.run('charge', { response_id, observation: ended })).reply,
          this.apply(charge(kept, response)),
        ];
    }
  }

  private apply({ reply, kept }: Step): string {
    this.kept = kept;
    return reply;
  }

  /** What the store keeps, in the words of the model. */
  async stored(): Promise<Kept> {
    const { id, store } = this;
    const [record, job] = await Promise.all([store.record(id), store.job(id)]);
    const rows: Kept['rows'] = {};
    for (const response of this.epochs.keys()) {
      const row = await store.row(this.nameOf(response));
      if (row) rows[response] = { kind: row.kind, isFinal: row.status !== 'pending' };
    }
    const response = [...this.epochs.keys()].find(number => this.nameOf(number) === record?.response_id);
    return {
      status: record?.status as Kept['status'],
      epoch: record?.epoch === undefined ? 0 : this.epochs.indexOf(record.epoch) + 1,
      isUnknown: record?.unknown_at !== undefined,
      response: response ?? null,
      launches: (job?.launches ?? []).map(({ state }) => state as Kept['launches'][number]),
      rows,
    };
  }

  private readonly nameOf = (response: number) => `resp_${this.id}_${response}`;
}
