import { Command } from 'commander';
import { heldLaunches, holdAdvice } from '../../shared/contract/holds.ts';
import { whole } from '../../shared/runtime/format.ts';
import { type ClientFlags, commandLine, withClient } from '../client/with-client.ts';
import { print, printJson, printProse, withJson } from '../terminal/output.ts';
import { table } from '../terminal/table.ts';

export function statusCommand(): Command {
  return withJson(
    new Command('status').action(async ({ json = false, server }: ClientFlags & { json?: boolean }) => {
      const depths = await withClient({ server }, client => client.depths());
      if (json) {
        printJson(depths);
        return;
      }
      print(table(['JOBS', ''], Object.entries(depths.jobs)));
      print();
      const paused = depths.launch_paused
        ? `. Launching is PAUSED. To resume: ${commandLine('resume launch', { server })}`
        : '';
      const late = depths.due_polls > 0 ? `, the oldest is ${depths.oldest_due_poll_seconds.toFixed(1)} s late` : '';
      if (depths.store === 'full') print('The store is FULL. New jobs are refused, but cancels still work.');
      print(`Waiting to be launched: ${whole(depths.launch_waiting)}${paused}`);
      for (const [scope, code] of Object.entries(depths.holds))
        printProse(`  held: ${heldLaunches(scope)} (${code}). ${holdAdvice(code)}`);
      if (depths.lanes > 1) print(`Lanes: ${depths.lanes}`);
      for (const lane of depths.lanes_away)
        print(
          `  lane ${lane} CANNOT BE REACHED: its jobs are waiting, and the numbers here leave them out (headstone lanes)`,
        );
      if (depths.lanes_unserved.length > 0)
        print(depths.lanes === 1 ? 'No worker is running.' : `  no worker serves: ${depths.lanes_unserved.join(', ')}`);
      print(`Due polls: ${whole(depths.due_polls)}${late}`);
      print(`Open streams: ${whole(depths.open_streams)}`);
      print(`Responses still watched: ${whole(depths.unsettled_responses)}`);
    }),
    'headstone status',
  );
}
