import { Command, Option } from 'commander';
import { checkId } from '../../producer/check-id.ts';
import type { CancellationFilter } from '../../shared/contract/cancellation.ts';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import { openStatuses, type Verdict } from '../../shared/contract/words.ts';
import type { Client } from '../client/client.ts';
import { withClient } from '../client/with-client.ts';
import { type CancelManyFlags, cancelMany } from '../jobs/cancel-many.ts';
import { exitCodes } from '../terminal/exit-codes.ts';
import { print, printJson, withJson } from '../terminal/output.ts';
import { once, parseDuration } from '../terminal/parse.ts';

interface CancelFlags extends CancelManyFlags {
  tenant?: string;
  tag?: string;
  status?: (typeof openStatuses)[number];
  model?: string;
  olderThan?: number;
  all?: boolean;
}

export function cancelCommand(): Command {
  return withJson(
    new Command('cancel')
      .argument('[id...]')
      .option('--tenant <name>', 'every open job of this tenant; a job must match every filter given')
      .option('--tag <tag>', 'every open job with this tag', once)
      .addOption(new Option('--status <status>', 'every job in this status').choices(openStatuses))
      .option('--model <name>', 'every open job for this model')
      .option(
        '--older-than <duration>',
        'every open job that was enqueued longer ago than this, like 2h',
        parseDuration,
      )
      .option('--all', 'every open job')
      .option('--reason <text>', 'kept with the job, at most 200 characters')
      .option('--actor <name>', 'who cancels')
      .option('--dry-run', 'only say how many jobs it would cancel, and what they may cost')
      .option('--yes', 'do not ask for confirmation')
      .action(async (ids: string[], flags: CancelFlags) => {
        const filter = filterOf(flags);
        if (ids.length > 0 === (filter !== null))
          throw new HeadstoneError(
            'invalid_request',
            ids.length > 0
              ? 'Ids and a filter were given. Choose one of them.'
              : 'Nothing says which jobs to cancel. Give ids, or --tenant, --tag, --status, --model, --older-than or --all.',
          );
        if (filter?.all && Object.keys(filter).length > 1)
          throw new HeadstoneError('invalid_request', '--all and a narrower filter were given. Choose one of them.');
        await withClient(flags, async client => {
          if (filter) await cancelMany(client, filter, flags);
          else await cancelEach(client, ids, flags);
        });
      }),
    'headstone cancel resp_0123456789abcdef0123456789abcdef --reason "wrong prompt" --actor alice',
    'headstone cancel --tag nightly --dry-run',
  );
}

/** Null if no filter was given. */
function filterOf({ tenant, tag, status, model, olderThan, all }: CancelFlags): CancellationFilter | null {
  const given = { tenant, tag, status, model, older_than_ms: olderThan, all: all ? (true as const) : undefined };
  const named = Object.entries(given).filter(([, value]) => value !== undefined);
  return named.length === 0 ? null : (Object.fromEntries(named) as CancellationFilter);
}

async function cancelEach(client: Client, ids: string[], { reason, actor, json }: CancelFlags): Promise<void> {
  // All ids are checked before the first job is cancelled, so that a typing error does not leave the others running.
  for (const id of ids) checkId(id);
  for (const id of ids) {
    const { verdict } = await client.cancel(id, { reason, actor });
    if (json) printJson({ id, verdict });
    else if (verdict === 'not_found') process.stderr.write(`There is no job ${id}.\n`);
    else print(`${id}  ${sentence(verdict)}`);
    // A job that is not found outweighs a late cancel, because the caller has a wrong id.
    if (verdict === 'not_found') process.exitCode = exitCodes.failed;
    else if (!isCancelled(verdict)) process.exitCode ??= exitCodes.tooLate;
  }
}

function isCancelled(verdict: Verdict): boolean {
  return verdict === 'cancelled' || verdict === 'already_cancelled';
}

function sentence(verdict: Verdict): string {
  if (verdict === 'cancelled') return 'cancelled';
  if (verdict === 'already_cancelled') return 'had already been cancelled';
  return `too late, because it had ended as ${verdict.replace('already_', '')}`;
}
