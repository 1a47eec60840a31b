import { Command } from 'commander';
import { type ClientFlags, withClient } from '../client/with-client.ts';
import { printFinished } from '../jobs/print-finished.ts';
import { waitForJob } from '../jobs/wait-for-job.ts';
import { withJson } from '../terminal/output.ts';
import { parseDuration } from '../terminal/parse.ts';

interface WaitFlags extends ClientFlags {
  timeout?: number;
  json?: boolean;
}

export function waitCommand(): Command {
  return withJson(
    new Command('wait')
      .argument('<id>')
      .option('--timeout <duration>', 'how long to wait, like 90s; default: as long as it takes', parseDuration)
      .action(async (id: string, { timeout, json = false, server }: WaitFlags) => {
        const finished = await withClient({ server }, client => waitForJob(client, id, { timeoutMs: timeout, server }));
        if (finished) printFinished(finished, json);
      }),
    'headstone wait resp_0123456789abcdef0123456789abcdef --timeout 15m',
  );
}
