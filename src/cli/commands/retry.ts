import { Command } from 'commander';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import { outcomeSentence } from '../../shared/runtime/outcome-sentence.ts';
import { type ClientFlags, withClient } from '../client/with-client.ts';
import { confirm } from '../terminal/confirm.ts';
import { exitCodes } from '../terminal/exit-codes.ts';
import { print, printJson, say, withJson } from '../terminal/output.ts';

interface RetryFlags extends ClientFlags {
  yes?: boolean;
  json?: boolean;
}

export function retryCommand(): Command {
  return withJson(
    new Command('retry')
      .argument('<id>')
      .option('--yes', 'do not ask for confirmation')
      .action(async (id: string, { yes = false, json = false, server }: RetryFlags) => {
        await withClient({ server }, async client => {
          const job = await client.get(id);
          if (!job) throw new HeadstoneError('job_not_found', `There is no job ${id}.`);
          if (!yes && !(await agrees(`What became of it: ${outcomeSentence(job, Date.now())}`))) {
            process.stderr.write('Nothing was enqueued.\n');
            process.exitCode = exitCodes.failed;
            return;
          }
          const again = await client.retry(id);
          if (json) printJson(again);
          else print(again.id);
        });
      }),
    'headstone retry resp_0123456789abcdef0123456789abcdef',
  );
}

async function agrees(sentence: string): Promise<boolean> {
  say(sentence);
  if (!process.stdin.isTTY)
    throw new HeadstoneError(
      'invalid_request',
      'A new job costs money, and standard input is not a terminal. Add --yes to run it again without asking.',
    );
  return await confirm('Run it again?');
}
