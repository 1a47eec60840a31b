import { Command, Option } from 'commander';
import { checkId } from '../../producer/check-id.ts';
import type { CancellationFilter } from '../../shared/contract/cancellation.ts';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import { openStatuses, type Verdict } from '../../shared/contract/words.ts';
import { type CancelManyFlags, cancelMany } from '../cancel-many.ts';
import type { Client } from '../client/client.ts';
import { withClient } from '../client/with-client.ts';
import { exitCodes } from '../exit-codes.ts';
import { print, printJson, withJson } from '../output.ts';
import { once, parseDuration } from '../parse.ts';

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
      .description('decides jobs as cancelled; exit code 0: cancelled now or before, 3: too late')
      .argument('[id...]')
      .option('--tenant <name>', 'every open job of this tenant; filters narrow each other')
      .option('--tag <tag>', 'every open job with this tag', once)
      .addOption(new Option('--status <status>', 'every job in this status').choices(openStatuses))
      .option('--model <name>', 'every open job for this model')
      .option('--older-than <duration>', 'every open job that was enqueued so long ago, like 2h', parseDuration)
      .option('--all', 'every open job')
      .option('--reason <text>', 'kept with the tombstone, at most 200 characters')
      .option('--actor <name>', 'who cancels')
      .option('--dry-run', 'only say how many, and about how much money')
      .option('--yes', 'do not ask')
      .action(async (ids: string[], flags: CancelFlags) => {
        const filter = filterOf(flags);
        if (ids.length > 0 === (filter !== null))
          throw new HeadstoneError(
            'invalid_request',
            ids.length > 0
              ? 'Ids and a filter were given: choose one of them.'
              : 'Nothing says what to cancel: give ids, or --tenant, --tag, --status, --model, --older-than or --all.',
          );
        if (filter?.all && Object.keys(filter).length > 1)
          throw new HeadstoneError('invalid_request', '--all and a narrower filter were given: choose one of them.');
        await withClient(flags, async client => {
          if (filter) await cancelMany(client, filter, flags);
          else await cancelEach(client, ids, flags);
        });
      }),
    'headstone cancel resp_0123456789abcdef0123456789abcdef --reason "wrong prompt" --actor alice',
    'headstone cancel --tag nightly --dry-run',
  );
}

/** Null where no job is named but by its id. */
function filterOf({ tenant, tag, status, model, olderThan, all }: CancelFlags): CancellationFilter | null {
  const given = { tenant, tag, status, model, older_than_ms: olderThan, all: all ? (true as const) : undefined };
  const named = Object.entries(given).filter(([, value]) => value !== undefined);
  return named.length === 0 ? null : (Object.fromEntries(named) as CancellationFilter);
}

async function cancelEach(client: Client, ids: string[], { reason, actor, json }: CancelFlags): Promise<void> {
  // Before the first of them is decided: a slip of the pen must not leave the others running.
  for (const id of ids) checkId(id);
  for (const id of ids) {
    const { verdict } = await client.cancel(id, {
      ...(reason === undefined ? {} : { reason }),
      ...(actor === undefined ? {} : { actor }),
    });
    if (json) printJson({ id, verdict });
    else if (verdict === 'not_found') process.stderr.write(`There is no job ${id}.\n`);
    else print(`${id}  ${sentence(verdict)}`);
    // A missing job outweighs a late cancel: the caller has a wrong id.
    if (verdict === 'not_found') process.exitCode = exitCodes.failed;
    else if (!isCancelled(verdict)) process.exitCode ??= exitCodes.tooLate;
  }
}

function isCancelled(verdict: Verdict): boolean {
  return verdict === 'cancelled' || verdict === 'already_cancelled';
}

function sentence(verdict: Verdict): string {
  if (verdict === 'cancelled') return 'cancelled';
  if (verdict === 'already_cancelled') return 'was cancelled before';
  return `too late: it had ended as ${verdict.replace('already_', '')}`;
}
