import { Command } from 'commander';
import { heldLaunches, holdAdvice } from '../../shared/contract/holds.ts';
import { whole } from '../../shared/runtime/format.ts';
import { type ClientFlags, typed, withClient } from '../client/with-client.ts';
import { print, printJson, table, withJson } from '../output.ts';

export function statusCommand(): Command {
  return withJson(
    new Command('status')
      .description('how much waits where, and whether launching is paused')
      .action(async ({ json = false, server }: ClientFlags & { json?: boolean }) => {
        const depths = await withClient({ server }, client => client.depths());
        if (json) {
          printJson(depths);
          return;
        }
        print(table(['JOBS', ''], Object.entries(depths.jobs)));
        print();
        const paused = depths.launch_paused ? `, and launching is PAUSED: ${typed('resume launch', { server })}` : '';
        const late = depths.due_polls > 0 ? `, the oldest for ${depths.oldest_due_poll_seconds.toFixed(1)} s` : '';
        if (depths.store === 'full') print('The store is FULL: new jobs are refused, and cancels still work.');
        print(`Launches that wait: ${whole(depths.launch_waiting)}${paused}`);
        for (const [scope, code] of Object.entries(depths.holds))
          print(`  held back: ${heldLaunches(scope)} (${code}). ${holdAdvice(code)}`);
        print(`Looks that are due: ${whole(depths.due_polls)}${late}`);
        print(`Open streams: ${whole(depths.open_streams)}`);
        print(`Responses that nobody wants, still followed: ${whole(depths.unsettled_responses)}`);
      }),
    'headstone status',
  );
}
