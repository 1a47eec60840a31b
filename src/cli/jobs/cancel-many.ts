import type {
  Cancellation,
  CancellationEstimate,
  CancellationFilter,
  CancellationOptions,
} from '../../shared/contract/cancellation.ts';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import { counted, usd, whole } from '../../shared/runtime/format.ts';
import type { Client } from '../client/client.ts';
import type { ClientFlags } from '../client/with-client.ts';
import { confirm } from '../terminal/confirm.ts';
import { exitCodes } from '../terminal/exit-codes.ts';
import { heedCtrlC } from '../terminal/interrupt.ts';
import { print, printJson, say } from '../terminal/output.ts';

const NO_MATCH = 'No open job matches.';

export interface CancelManyFlags extends ClientFlags {
  reason?: string;
  actor?: string;
  dryRun?: boolean;
  yes?: boolean;
  json?: boolean;
}

/** Says what would be cancelled, asks unless --yes was given, and carries the cancellation out. */
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
  const options = { reason, actor };
  const ended = await runOrStop(client, filter, options);
  if (json) printJson(ended);
  else
    print(
      `${ended.status === 'stopped' ? 'Stopped: cancelled' : 'Cancelled'} ${whole(ended.cancelled)} of ${whole(ended.expected)}.`,
    );
}

/** Ctrl-C stops the cancellation. Otherwise a worker would carry it on. */
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
  const { jobs_without_average: unknown, jobs_without_price: unpriced, spared_without_cost: unpricedQueued } = estimate;
  const queued = byStatus.queued ?? 0;
  return [
    `This would cancel ${counted(jobs, 'job')} (${parts.join(', ')}).`,
    ...(unknown < jobs
      ? [
          `Left alone, they would use about ${counted(estimate.tokens, 'token')} (${unknown + unpriced < jobs ? usd(estimate.cost_usd_micros) : 'no price'}).`,
          ...(queued === 0 ? ['Cancelling saves nothing of that, because all of them have been launched.'] : []),
          ...(unpricedQueued < queued
            ? [
                `Cancelling saves about ${usd(estimate.spared_cost_usd_micros)} of that${unpricedQueued > 0 ? `, by ${whole(queued - unpricedQueued)} of ${whole(queued)} jobs that have not been launched` : ''}.`,
              ]
            : []),
        ]
      : []),
    ...(unknown > 0
      ? [
          `The cost of ${counted(unknown, 'job')} is not known, because no run of the model in the last 30 days is on record.`,
        ]
      : []),
    ...(unpriced > 0 ? [`No price is known for ${counted(unpriced, 'job')}.`] : []),
    estimate.note,
  ].join(' ');
}

async function isConfirmed(estimate: CancellationEstimate): Promise<boolean> {
  say(sentence(estimate));
  if (!process.stdin.isTTY)
    throw new HeadstoneError(
      'invalid_request',
      'This needs confirmation, but standard input is not a terminal. Add --yes, or run it with --dry-run first.',
    );
  return await confirm('Cancel them?');
}
