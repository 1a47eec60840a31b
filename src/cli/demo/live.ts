import { setTimeout as sleep } from 'node:timers/promises';
import { span } from '../../shared/runtime/format.ts';
import type { Configuration } from '../../shared/runtime/settings.ts';
import type { LogLine } from '../children.ts';
import { hasScreen, startLiveTable } from '../live-table.ts';
import { print } from '../output.ts';
import { summaryOf, trialSentence } from '../probe/report.ts';
import { cancelMomentMs, runTrials, type TrialPlan } from '../probe/run-trials.ts';
import { agreesToSpend, MOST_OUTPUT_TOKENS, type SmallRequest, smallRequest, worstCaseUsd } from '../probe/spending.ts';
import { requireKey } from '../require-key.ts';
import type { FrontDoor } from './front-door.ts';
import { jobsTable } from './jobs-table.ts';
import { conclusion } from './report.ts';
import { type Cancelled, reach, untilSettled } from './scenario.ts';
import { withSystem } from './with-system.ts';

export interface LivePlan extends TrialPlan {
  maxUsd: number;
  yes?: boolean;
}

/** What has not been launched by then will not be: a demo must end. */
const DEADLINE_MS = 120_000;
/** The watcher's first looks need so long. */
const LEAST_WINDOW_MS = 1000;

/** The same story with the user's own provider and money: a probe without Headstone, and the same cancels with it. */
export async function demoLive(plan: LivePlan, configuration: Configuration): Promise<void> {
  requireKey(configuration, 'leave out --live and HEADSTONE_LIVE to see it simulated');
  const { model, n, maxUsd, window } = plan;
  const { prices } = configuration;
  const mostUsd = worstCaseUsd(model, 2 * n, maxUsd, configuration);
  process.stderr.write(
    `LIVE: ${2 * n} responses of at most ${MOST_OUTPUT_TOKENS} tokens on ${model}, each watched for ${span(window)}, are billed to your key: up to $${mostUsd.toFixed(4)}.\n`,
  );
  if (!(await agreesToSpend(plan))) return print('Nothing was sent.');
  print('1  Without Headstone: background responses that are cancelled at your provider\n');
  const { trials, isWhole } = await runTrials(plan, configuration);
  const summary = summaryOf(trials, model, prices);
  print(`\n${trialSentence(summary)}`);
  if (!isWhole) return;
  if (summary.created === 0) {
    process.stderr.write(`Your provider took none of them (see CREATE above), so there is no second act.\n`);
    process.exitCode = 1;
    return;
  }
  print('\n2  With Headstone: the same requests and the same cancels, through its server\n');
  await cancelWithHeadstone(plan, configuration);
}

async function cancelWithHeadstone({ model, n, window }: LivePlan, configuration: Configuration): Promise<void> {
  const request = smallRequest(model, configuration);
  const settings = { HEADSTONE_SETTLE_WINDOW_MS: String(Math.max(window, LEAST_WINDOW_MS)) };
  const stage = { redisUrl: configuration.redisUrl, simulate: false, workers: 1, settings, onLine: tellHold };
  await withSystem(stage, async (_system, door) => {
    const cancelled: Cancelled[] = [];
    const live = startLiveTable(() => jobsTable(door, cancelled));
    try {
      await Promise.all(
        Array.from({ length: n }, async (_, number) => {
          cancelled.push(await createAndCancel(door, request, cancelMomentMs(number)));
        }),
      );
      await untilSettled(door);
    } finally {
      await live.stop();
    }
    if (!hasScreen()) print(await jobsTable(door, cancelled));
    const jobs = await Promise.all(cancelled.map(({ id }) => door.job(id)));
    print(conclusion({ cancelled, jobs, rows: await door.ledger(), waste: await door.waste('cause') }));
    if (jobs.some(job => job.status === 'cancelled' && job.response !== null)) process.exitCode = 1;
  });
}

async function createAndCancel(door: FrontDoor, request: SmallRequest, afterMs: number): Promise<Cancelled> {
  const headstone = { tenant: 'demo', tags: ['demo'], deadline_ms: DEADLINE_MS };
  const id = await door.create({ ...request, headstone });
  await reach(door, id, 'running');
  await sleep(afterMs);
  return { id, when: 'running', won: await door.cancel(id, { actor: 'alice', reason: 'demo' }) };
}

/** Why nothing happens, while nothing does. */
function tellHold({ event, advice }: LogLine): void {
  if (event === 'launches_held') process.stderr.write(`Launches are held back: ${String(advice)}\n`);
}
