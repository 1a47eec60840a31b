import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from '../../shared/contract/job.ts';
import { counted, span } from '../../shared/runtime/format.ts';
import type { Configuration } from '../../shared/runtime/settings.ts';
import { summaryOf, trialSentence } from '../probe/report.ts';
import { cancelMomentMs, runTrials, type TrialPlan } from '../probe/run-trials.ts';
import { agreesToSpend, MOST_OUTPUT_TOKENS, smallRequest, worstCaseUsd } from '../probe/spending.ts';
import type { LogLine } from '../processes/children.ts';
import { requireKey } from '../processes/require-key.ts';
import { exitCodes } from '../terminal/exit-codes.ts';
import { hasScreen, startLiveTable } from '../terminal/live-table.ts';
import { print, printProse } from '../terminal/output.ts';
import type { FrontDoor } from './front-door.ts';
import { jobsTable } from './jobs-table.ts';
import { conclusion } from './report.ts';
import { type Cancelled, reach, untilSettled } from './scenario.ts';
import { withSystem } from './with-system.ts';

export interface LivePlan extends TrialPlan {
  maxUsd: number;
  yes?: boolean;
}

/** Jobs that were not launched by then end, because a demo must end. */
const DEADLINE_MS = 120_000;
const headstone = { tenant: 'demo', tags: ['demo'], deadline_ms: DEADLINE_MS };
const LEAVE_MS = 10_000;
const POLL_MS = 200;
const CANCEL_HEARD = 'upstream_cancel_acknowledged';
/** The first observations of a watch take this long. */
const LEAST_WINDOW_MS = 1000;

/** Shows the problem and the answer with the user's provider and money: cancels without Headstone, then the same with it. */
export async function demoLive(plan: LivePlan, configuration: Configuration): Promise<void> {
  requireKey(configuration, 'leave out --live and HEADSTONE_LIVE to see it simulated');
  const { model, n, maxUsd, window } = plan;
  const { prices } = configuration;
  const mostUsd = worstCaseUsd(model, 2 * n, maxUsd, configuration);
  process.stderr.write(
    `LIVE: ${counted(2 * n, 'response')} of at most ${MOST_OUTPUT_TOKENS} tokens on ${model}, each watched for ${span(window)}, are billed to your key. This can cost up to $${mostUsd.toFixed(4)}.\n`,
  );
  if (!(await agreesToSpend(plan))) return print('Nothing was sent.');
  print('1  Without Headstone: background responses that are cancelled at your provider\n');
  const { trials, isWhole } = await runTrials(plan, configuration);
  const summary = summaryOf(trials, model, prices);
  print();
  printProse(trialSentence(summary, isWhole));
  if (!isWhole) return;
  if (summary.created === 0) {
    process.stderr.write(`Your provider took none of them (see CREATE above), so the second part is left out.\n`);
    process.exitCode = exitCodes.failed;
    return;
  }
  print('\n2  With Headstone: the same requests and the same cancels, through its server\n');
  await cancelWithHeadstone(plan, configuration);
}

async function cancelWithHeadstone({ model, n, window }: LivePlan, configuration: Configuration): Promise<void> {
  const request = smallRequest(model, configuration);
  const settings = { HEADSTONE_SETTLE_WINDOW_MS: String(Math.max(window, LEAST_WINDOW_MS)) };
  const created: string[] = [];
  const stage = {
    redisUrl: configuration.redisUrl,
    simulate: false,
    workers: 1,
    settings,
    onLine: tellHold,
    leave: (door: FrontDoor) => cancelBeforeLeaving(door, created),
  };
  await withSystem(stage, async (_system, door) => {
    const cancelled: Cancelled[] = [];
    const live = startLiveTable(() => jobsTable(door, cancelled));
    try {
      await Promise.all(
        Array.from({ length: n }, async (_, number) => {
          const id = await door.create({ ...request, headstone });
          created.push(id);
          cancelled.push(await cancelInTime(door, id, cancelMomentMs(number)));
        }),
      );
      await untilSettled(door);
    } finally {
      await live.stop();
    }
    if (!hasScreen()) print(await jobsTable(door, cancelled));
    const jobs = await Promise.all(cancelled.map(({ id }) => door.job(id)));
    printProse(conclusion({ cancelled, jobs, rows: await door.ledger(), waste: await door.waste('cause') }));
    if (jobs.some(job => job.status === 'cancelled' && job.response !== null)) process.exitCode = exitCodes.failed;
  });
}

async function cancelInTime(door: FrontDoor, id: string, afterMs: number): Promise<Cancelled> {
  await reach(door, id, 'running');
  await sleep(afterMs);
  return { id, when: 'running', won: await door.cancel(id, { actor: 'alice', reason: 'demo' }) };
}

/** Cancels what still runs, because it costs money and nobody follows it once the system has stopped. */
async function cancelBeforeLeaving(door: FrontDoor, ids: string[]): Promise<void> {
  process.stderr.write('\nCancelling what still runs at your provider ...\n');
  await Promise.allSettled(ids.map(id => door.cancel(id, { actor: 'alice', reason: 'interrupted' })));
  const givenUpAt = performance.now() + LEAVE_MS;
  while (performance.now() < givenUpAt) {
    const jobs = await Promise.all(ids.map(id => door.record(id)));
    if (!jobs.some(mayStillRun)) return;
    await sleep(POLL_MS);
  }
}

function mayStillRun({ status, response_id: responseId, timeline }: Omit<Job, 'response'>): boolean {
  return status === 'cancelled' && responseId !== null && !timeline.some(({ event }) => event === CANCEL_HEARD);
}

/** Says why nothing happens while launches are held. */
function tellHold({ event, advice }: LogLine): void {
  if (event === 'launches_held') process.stderr.write(`Launches are held. ${String(advice)}\n`);
}
