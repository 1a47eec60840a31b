import { Command } from 'commander';
import { heldLaunches, holdAdvice } from '../../shared/contract/holds.ts';
import { whole } from '../../shared/runtime/format.ts';
import { type ClientFlags, commandLine, withClient } from '../client/with-client.ts';
import { print, printJson, table, withJson } from '../terminal/output.ts';

export function statusCommand(): Command {
  return withJson(
    new Command('status')
      .description('show how much waits where, what is held, and whether launching is paused')
      .action(async ({ json = false, server }: ClientFlags & { json?: boolean }) => {
        const depths = await withClient({ server }, client => client.depths());
        if (json) {
          printJson(depths);
          return;
        }
        print(table(['JOBS', ''], Object.entries(depths.jobs)));
        print();
        const paused = depths.launch_paused ? `. Launching is PAUSED: ${commandLine('resume launch', { server })}` : '';
        const late = depths.due_polls > 0 ? `, the oldest since ${depths.oldest_due_poll_seconds.toFixed(1)} s` : '';
        if (depths.store === 'full') print('The store is FULL. New jobs are refused, but cancels still work.');
        print(`Waiting to be launched: ${whole(depths.launch_waiting)}${paused}`);
        for (const [scope, code] of Object.entries(depths.holds))
          print(`  held: ${heldLaunches(scope)} (${code}). ${holdAdvice(code)}`);
        print(`Due polls: ${whole(depths.due_polls)}${late}`);
        print(`Open streams: ${whole(depths.open_streams)}`);
        print(`Unwanted responses still watched: ${whole(depths.unsettled_responses)}`);
      }),
    'headstone status',
  );
}
