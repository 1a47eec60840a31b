import type {
  Cancellation,
  CancellationEstimate,
  CancellationFilter,
  CancellationOptions,
} from '../shared/contract/cancellation.ts';
import { HeadstoneError } from '../shared/contract/errors.ts';
import { counted, usd, whole } from '../shared/runtime/format.ts';
import type { Client } from './client/client.ts';
import type { ClientFlags } from './client/with-client.ts';
import { confirm } from './confirm.ts';
import { exitCodes } from './exit-codes.ts';
import { heedCtrlC } from './interrupt.ts';
import { print, printJson } from './output.ts';

const NO_MATCH = 'No open job matches.';

export interface CancelManyFlags extends ClientFlags {
  reason?: string;
  actor?: string;
  dryRun?: boolean;
  yes?: boolean;
  json?: boolean;
}

/** Says what would be cancelled, asks unless that was answered before, and works through it. */
export async function cancelMany(client: Client, filter: CancellationFilter, flags: CancelManyFlags): Promise<void> {
  const { reason, actor, dryRun = false, yes = false, json = false } = flags;
  const { cancellations } = client;
  const estimate = await cancellations.estimate(filter);
  if (dryRun) {
    if (json) printJson(estimate);
    else print(estimate.jobs === 0 ? NO_MATCH : sentence(estimate));
    return;
  }
  if (estimate.jobs === 0) {
    if (json) printJson(estimate);
    else print(NO_MATCH);
    return;
  }
  if (!yes && !(await isConfirmed(estimate))) {
    process.stderr.write('Nothing was cancelled.\n');
    process.exitCode = exitCodes.failed;
    return;
  }
  const options = { ...(reason === undefined ? {} : { reason }), ...(actor === undefined ? {} : { actor }) };
  const ended = await runOrStop(client, filter, options);
  if (json) printJson(ended);
  else
    print(
      `${ended.status === 'stopped' ? 'Stopped: cancelled' : 'Cancelled'} ${whole(ended.cancelled)} of ${whole(ended.expected)}.`,
    );
}

/** Ctrl-C stops it: left alone, any process of the deployment would go on with it. */
async function runOrStop(
  { cancellations }: Client,
  filter: CancellationFilter,
  options: CancellationOptions,
): Promise<Cancellation> {
  return await heedCtrlC(async interrupted => {
    const { id } = await cancellations.begin(filter, options);
    try {
      await cancellations.run(id, interrupted);
      return await cancellations.get(id);
    } catch (error) {
      if (!interrupted.aborted) throw error;
      process.exitCode = exitCodes.interrupted;
      return await cancellations.stop(id);
    }
  });
}

function sentence({ jobs, by_status: byStatus, estimate }: CancellationEstimate): string {
  const parts = Object.entries(byStatus).map(([status, count]) => `${whole(count)} ${status}`);
  const unknown = estimate.jobs_without_average;
  return [
    `This would cancel ${counted(jobs, 'job')} (${parts.join(', ')}).`,
    ...(unknown < jobs
      ? [
          `Worth about ${whole(estimate.tokens)} tokens, ${usd(estimate.cost_usd_micros)}; about ${usd(estimate.spared_cost_usd_micros)} of it is not spent yet.`,
        ]
      : []),
    ...(unknown > 0 ? [`What ${counted(unknown, 'job')} would cost is not known: no run to go by is on record.`] : []),
    estimate.note,
  ].join(' ');
}

async function isConfirmed(estimate: CancellationEstimate): Promise<boolean> {
  // What is asked stands where the question does: standard output is for what was done.
  process.stderr.write(`${sentence(estimate)}\n`);
  if (!process.stdin.isTTY)
    throw new HeadstoneError(
      'invalid_request',
      'Nobody is here to confirm it: add --yes, or look first with --dry-run.',
    );
  return await confirm('Cancel them?');
}
