import { Command } from 'commander';
import { heldLaunches, holdAdvice } from '../../shared/contract/holds.ts';
import { span, time } from '../../shared/runtime/format.ts';
import { type ClientFlags, commandLine, withClient } from '../client/with-client.ts';
import { print, printJson, printProse, withJson } from '../terminal/output.ts';
import { table } from '../terminal/table.ts';

export function holdsCommand(): Command {
  return withJson(
    new Command('holds').action(async ({ json = false, server }: ClientFlags & { json?: boolean }) => {
      const [holds, depths] = await withClient({ server }, client => Promise.all([client.holds(), client.depths()]));
      if (json) return printJson({ holds });
      if (depths.launch_paused) print(`Launching is paused. To resume: ${commandLine('resume launch', { server })}`);
      if (holds.length === 0) return print('There are no holds.');
      print(
        table(
          ['HOLD', 'WHY', 'WAITING', 'SINCE (UTC)', 'NEXT TRY IN'],
          holds.map(({ scope, code, waiting, since, next_try_at }) => [
            scope,
            code,
            waiting,
            time(since).slice(0, 19),
            span(Math.max(0, next_try_at - Date.now())),
          ]),
        ),
      );
      for (const { scope, code, kind } of holds) {
        print();
        printProse(`Held: ${heldLaunches(scope)}. ${holdAdvice(code, kind)}`);
        print(`To try at once: ${commandLine(`release '${scope}'`, { server })}`);
      }
    }),
    'headstone holds',
  );
}

export function releaseCommand(): Command {
  return withJson(
    new Command('release')
      .argument('<hold>', 'as “headstone holds” shows it, like model:gpt-5.5')
      .action(async (scope: string, { json = false, server }: ClientFlags & { json?: boolean }) => {
        await withClient({ server }, client => client.releaseHold(scope));
        if (json) printJson({ scope, tried: true });
        else print(`Headstone tries now. “${commandLine('holds', { server })}” shows whether the hold is over.`);
      }),
    'headstone release model:gpt-5.5',
  );
}
