import { Command } from 'commander';
import { withJson } from '../output.ts';
import { parseDuration } from '../parse.ts';
import { printFinished } from '../print-finished.ts';
import { withProducer } from '../session.ts';

export function waitCommand(): Command {
  return withJson(
    new Command('wait')
      .description('waits for a job’s outcome and prints its text')
      .argument('<id>')
      .option('--timeout <duration>', 'like 90s; default: as long as it takes', parseDuration)
      .action(async (id: string, { timeout, json = false }: { timeout?: number; json?: boolean }) => {
        const options = timeout === undefined ? {} : { timeoutMs: timeout };
        printFinished(await withProducer(producer => producer.wait(id, options)), json);
      }),
    'headstone wait resp_0123456789abcdef0123456789abcdef --timeout 15m',
  );
}
