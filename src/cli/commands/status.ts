import { Command } from 'commander';
import { whole } from '../../shared/runtime/format.ts';
import { print, printJson, table, withJson } from '../output.ts';
import { withProducer } from '../session.ts';

export function statusCommand(): Command {
  return withJson(
    new Command('status')
      .description('how much waits where, and whether launching is paused')
      .action(async ({ json = false }: { json?: boolean }) => {
        const { depths, isPaused } = await withProducer(async producer => ({
          depths: await producer.depths(),
          isPaused: await producer.isLaunchPaused(),
        }));
        if (json) {
          printJson({ ...depths, launchPaused: isPaused });
          return;
        }
        print(table(['JOBS', ''], Object.entries(depths.jobs)));
        print();
        print(
          `${whole(depths.launchWaiting)} launches wait${isPaused ? ', and launching is PAUSED: headstone resume launch' : ''}`,
        );
        print(`${whole(depths.duePolls)} looks are due, the oldest for ${depths.oldestDuePollSeconds.toFixed(1)} s`);
        print(`${whole(depths.openStreams)} streams are open`);
        print(`${whole(depths.unsettledResponses)} responses that nobody wants are still followed`);
      }),
    'headstone status',
  );
}
