import { Command } from 'commander';
import { whole } from '../../shared/runtime/format.ts';
import { type ClientFlags, withClient } from '../client/with-client.ts';
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
        print(
          `${whole(depths.launch_waiting)} launches wait${depths.launch_paused ? ', and launching is PAUSED: headstone resume launch' : ''}`,
        );
        print(
          `${whole(depths.due_polls)} looks are due, the oldest for ${depths.oldest_due_poll_seconds.toFixed(1)} s`,
        );
        print(`${whole(depths.open_streams)} streams are open`);
        print(`${whole(depths.unsettled_responses)} responses that nobody wants are still followed`);
      }),
    'headstone status',
  );
}
