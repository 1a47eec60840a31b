import { expect, test } from 'vitest';
import { audit } from '../../src/cli/reports/audit.ts';
import type { Job } from '../../src/shared/contract/job.ts';
import { span } from '../../src/shared/runtime/format.ts';
import { scripted, startHarness } from '../support/harness.ts';
import { isShort, quantile, report, seed } from './form.ts';
import { randomOf } from './random.ts';
import { inTurns } from './scenes/play.ts';
import { unseen } from './unseen.ts';

/** The provider's time runs so much faster, and the default settings are divided by the same number. */
const SPEED = isShort ? 150 : 10;
/** Long enough on this machine's clock for a cancel to come in time, however busy it is. */
const RUN_MS = 4000 * SPEED;
const minutes = (count: number) => count * 60_000;
const FLIPS_AFTER_MS = [0, minutes(1), minutes(5), minutes(15)];
const JOBS = isShort ? 15 : 250;

test('I3, I6, I8: responses that flip when they end, or a minute, five or fifteen after their cancel, are booked to the token', {
  timeout: 600_000,
}, async () => {
  const { producer, happened, simulatorLedger } = await startHarness({
    speed: SPEED,
    env: {
      HEADSTONE_SETTLE_FIRST_MS: String(Math.round(5000 / SPEED)),
      HEADSTONE_SETTLE_WINDOW_MS: String(minutes(60) / SPEED),
      HEADSTONE_RETENTION_FLOOR_MS: String(minutes(9) / SPEED),
      HEADSTONE_MAX_IN_FLIGHT: '2000',
    },
  });
  const random = randomOf(seed);
  const jobs = FLIPS_AFTER_MS.flatMap(flip_after_ms =>
    Array.from({ length: JOBS }, (_, n) => ({
      request: scripted({ duration_ms: RUN_MS, flip_after_ms, output_tokens: 100 + random.below(2000) }, `Prompt ${n}`),
    })),
  );
  const ids = (await producer.enqueueMany(jobs)).map(({ id }) => id);
  const groups = FLIPS_AFTER_MS.map((_, n) => new Set(ids.slice(n * JOBS, (n + 1) * JOBS)));
  await inTurns(50, ids, async id => {
    await happened('launch_acknowledged', ({ job_id }) => job_id === id);
    await producer.cancel(id, { actor: 'alice' });
  });
  const pending = async () => (await producer.ledger({ limit: 1000 })).filter(row => row.status === 'pending').length;
  await expect.poll(pending, { timeout: 400_000, interval: 500 }).toBe(0);

  const rows = await producer.ledger({ limit: 1000 });
  const simulator = await simulatorLedger();
  const shown = await inTurns(20, ids, async id => (await producer.get(id)) as Job);
  const problems = [...audit({ jobs: shown, rows, simulator }), ...unseen(rows, simulator)];
  const flipped = rows.filter(row => row.kind === 'wasted' && row.upstream_status === 'completed');
  const lateMs = flipped.map(row => (row.late_by_ms ?? 0) * SPEED);
  report({
    part: 'Upstream',
    what: `responses flip when they end, or 1, 5 and 15 min after their cancel, at ${SPEED} times the speed`,
    tried: ids.length,
    violations: problems.length,
    figures: `${flipped.length} flipped, and were booked ${span(quantile(lateMs, 0))} to ${span(quantile(lateMs, 1))} after their cancel.`,
  });
  expect(problems).toEqual([]);
  expect(simulator.creates).toBe(ids.length);
  // Some cancels come when a run has just ended. Of each group the others have flipped, the late ones as well.
  for (const group of groups)
    expect(flipped.filter(row => group.has(row.job_id)).length).toBeGreaterThan(group.size * 0.7);
});
