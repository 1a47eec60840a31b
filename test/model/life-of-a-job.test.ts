import fc from 'fast-check';
import { expect, test } from 'vitest';
import { audit } from '../../src/cli/reports/audit.ts';
import type { Job } from '../../src/shared/contract/job.ts';
import { isOutcome, type JobStatus } from '../../src/shared/contract/words.ts';
import type { Script } from '../../src/simulator/script.ts';
import { scripted } from '../support/harness.ts';
import { redisOf } from '../support/store.ts';
import { type Life, startLife } from './life.ts';

/** What the test knows for certain: the jobs, and each outcome as it was first seen. */
interface Model {
  ids: string[];
  outcomes: Map<string, JobStatus>;
  /** Jobs whose cancel was acknowledged as successful. */
  cancelled: Set<string>;
}

/** The long form: HEADSTONE_MODEL_RUNS=10000 (docs/decisions/0028). */
const RUNS = Number(process.env.HEADSTONE_MODEL_RUNS ?? 200);

type Step = fc.AsyncCommand<Model, Life>;

function step(name: string, act: (model: Model, life: Life) => Promise<void>): Step {
  return {
    check: () => true,
    toString: () => name,
    async run(model, life) {
      await act(model, life);
      await hold(model, life);
    },
  };
}

const jobOf = (model: Model, pick: number): string | undefined => model.ids[pick % Math.max(1, model.ids.length)];

const enqueue = fc
  .record({
    cancel: fc.constantFrom('flip', 'honour', 'too_late'),
    end: fc.constantFrom('completed', 'completed', 'incomplete', 'failed', 'rate_limited'),
    cancel_fails: fc.constantFrom(0, 0, 1),
    usage: fc.constantFrom(true, true, true, false),
    create: fc.constantFrom(undefined, undefined, undefined, 'truncated', 'invalid'),
    create_times: fc.constant(1),
    attempts: fc.integer({ min: 1, max: 2 }),
    onUnknownLaunch: fc.constantFrom('fail', 'relaunch'),
  })
  .map(({ attempts, onUnknownLaunch, ...script }) =>
    step(`enqueue(${JSON.stringify({ ...script, attempts, onUnknownLaunch })})`, async (model, life) => {
      const wish = { duration_ms: 1000, flip_after_ms: 500, ...script } as Partial<Script>;
      const request = scripted(wish, `Prompt ${model.ids.length}`);
      const { id } = await life.producer.enqueue(request, { attempts, onUnknownLaunch: onUnknownLaunch as 'fail' });
      model.ids.push(id);
    }),
  );

const onJob = (name: string, act: (id: string, model: Model, life: Life) => Promise<unknown>) =>
  fc.nat(20).map(pick =>
    step(`${name}(${pick})`, async (model, life) => {
      const id = jobOf(model, pick);
      if (id !== undefined) await act(id, model, life);
    }),
  );

const tick = onJob('tick', (id, _model, life) => life.tick(id));
const die = onJob('worker dies', (id, _model, life) => life.die(id));
const cancel = onJob('cancel', async (id, model, life) => {
  const { verdict } = await life.producer.cancel(id);
  const before = model.outcomes.get(id);
  expect(verdict).toBe(before === undefined ? 'cancelled' : `already_${before}`);
  model.cancelled.add(id);
  if (before !== undefined && before !== 'cancelled') model.cancelled.delete(id);
});
const hear = fc.nat(60).map(pick => step(`webhook(${pick})`, (_model, life) => life.hear(pick)));
const advance = fc.integer({ min: 100, max: 2000 }).map(ms =>
  step(`advance(${ms})`, async (_model, life) => {
    life.advance(ms);
  }),
);

/** Checks what must hold at every moment. */
async function hold(model: Model, life: Life): Promise<void> {
  for (const id of model.ids) {
    const job = (await life.producer.get(id)) as Job;
    const known = model.outcomes.get(id);
    if (known !== undefined) expect(job.status, 'I2: an outcome never changes').toBe(known);
    if (isOutcome(job.status)) model.outcomes.set(id, job.status);
    if (model.cancelled.has(id)) {
      expect(job.status, 'I1: a cancel that won stays').toBe('cancelled');
      expect(job.response, 'I1: no result is shown').toBeNull();
    }
    const undecided = job.launches.filter(
      launch =>
        launch.state === 'intended' ||
        job.ledger.some(row => row.response_id === launch.response_id && row.kind === null),
    );
    expect(undecided.length, 'I6: one live launch').toBeLessThanOrEqual(1);
  }
}

/** When the faults end and time passes, every job gets an outcome and every response a price (I10). */
async function heal(model: Model, life: Life): Promise<void> {
  for (let round = 0; round < 400; round += 1) {
    life.advance(1000);
    for (const id of model.ids) await life.tick(id);
    await hold(model, life);
    const rows = await life.producer.ledger();
    if (model.outcomes.size === model.ids.length && rows.every(row => row.status !== 'pending')) return;
    // A run that was refused by a rate limit holds its model, so the hold is ended here.
    for (const { keys } of life.store.lanes)
      for (const key of await redisOf(life.store).keys(`${keys.prefix}:hold:*`)) await redisOf(life.store).del(key);
  }
  throw new Error('I10: after the faults healed, not every job ended.');
}

test('any life of any jobs keeps the promises, against the store and the provider’s own ledger', {
  timeout: RUNS * 1200,
}, async () => {
  const commands = fc.commands([enqueue, enqueue, tick, tick, tick, cancel, die, hear, hear, advance], {
    maxCommands: 30,
  });
  await fc.assert(
    fc.asyncProperty(commands, async steps => {
      const life = await startLife();
      try {
        const model: Model = { ids: [], outcomes: new Map(), cancelled: new Set() };
        await fc.asyncModelRun(() => ({ model, real: life }), steps);
        // A run that a rate limit always refuses never ends by itself, so its user cancels it.
        for (const id of model.ids) {
          const request = JSON.stringify(await life.producer.request(id));
          if (request.includes('rate_limited') && !model.outcomes.has(id)) await life.producer.cancel(id);
        }
        await heal(model, life);
        const books = {
          jobs: (await Promise.all(model.ids.map(id => life.producer.get(id)))) as Job[],
          rows: await life.producer.ledger(),
          simulator: await life.simulatorLedger(),
        };
        expect(audit(books)).toEqual([]);
      } finally {
        await life.close();
      }
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
});
