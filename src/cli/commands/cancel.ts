import { Command } from 'commander';
import type { Verdict } from '../../shared/contract/words.ts';
import { print, printJson, withJson } from '../output.ts';
import { withProducer } from '../session.ts';

interface CancelFlags {
  reason?: string;
  actor?: string;
  json?: boolean;
}

const FAILED = 1;
const TOO_LATE = 3;

export function cancelCommand(): Command {
  return withJson(
    new Command('cancel')
      .description('decides jobs as cancelled; exit code 0: cancelled now or before, 3: too late')
      .argument('<id...>')
      .option('--reason <text>', 'kept with the tombstone, at most 200 characters')
      .option('--actor <name>', 'who cancels')
      .action(async (ids: string[], { json = false, ...options }: CancelFlags) => {
        await withProducer(async producer => {
          for (const id of ids) {
            const { verdict } = await producer.cancel(id, options);
            if (json) printJson({ id, verdict });
            else if (verdict === 'not_found') process.stderr.write(`There is no job ${id}.\n`);
            else print(`${id}  ${sentence(verdict)}`);
            // A missing job outweighs a late cancel: the caller has a wrong id.
            if (verdict === 'not_found') process.exitCode = FAILED;
            else if (!isCancelled(verdict)) process.exitCode ??= TOO_LATE;
          }
        });
      }),
    'headstone cancel resp_0123456789abcdef0123456789abcdef --reason "wrong prompt" --actor alice',
  );
}

function isCancelled(verdict: Verdict): boolean {
  return verdict === 'cancelled' || verdict === 'already_cancelled';
}

function sentence(verdict: Verdict): string {
  if (verdict === 'cancelled') return 'cancelled';
  if (verdict === 'already_cancelled') return 'was cancelled before';
  return `too late: it had ended as ${verdict.replace('already_', '')}`;
}
