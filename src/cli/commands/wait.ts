import { Command } from 'commander';
import { type ClientFlags, withClient } from '../client/with-client.ts';
import { withJson } from '../output.ts';
import { parseDuration } from '../parse.ts';
import { printFinished } from '../print-finished.ts';
import { waitForJob } from '../wait-for-job.ts';

interface WaitFlags extends ClientFlags {
  timeout?: number;
  json?: boolean;
}

export function waitCommand(): Command {
  return withJson(
    new Command('wait')
      .description('waits for a job’s outcome and prints its text')
      .argument('<id>')
      .option('--timeout <duration>', 'like 90s; default: as long as it takes', parseDuration)
      .action(async (id: string, { timeout, json = false, server }: WaitFlags) => {
        const options = timeout === undefined ? {} : { timeoutMs: timeout };
        const finished = await withClient({ server }, client => waitForJob(client, id, { ...options, server }));
        if (finished) printFinished(finished, json);
      }),
    'headstone wait resp_0123456789abcdef0123456789abcdef --timeout 15m',
  );
}
