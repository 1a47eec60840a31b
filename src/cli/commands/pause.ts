import { Argument, Command } from 'commander';
import { heldLaunches } from '../../shared/contract/holds.ts';
import { type ClientFlags, commandLine, withClient } from '../client/with-client.ts';
import { print, printJson, withJson } from '../terminal/output.ts';

export function pauseCommand(): Command {
  return switchCommand('pause', true);
}

export function resumeCommand(): Command {
  return switchCommand('resume', false);
}

function switchCommand(name: string, isPaused: boolean): Command {
  return withJson(
    new Command(name)
      // Polling and watching are never paused, because a provider may delete a response after ten minutes.
      .addArgument(new Argument('<launch>').choices(['launch']))
      .action(async (_queue: string, { json = false, ...flags }: ClientFlags & { json?: boolean }) => {
        const held = await withClient(flags, async client => {
          await client.pauseLaunch(isPaused);
          return isPaused ? [] : await client.holds();
        });
        if (json) return printJson({ launch_paused: isPaused });
        print(isPaused ? 'Launching is paused.' : 'Launching is resumed.');
        for (const { scope, code } of held)
          print(
            `Still held: ${heldLaunches(scope)} (${code}). To try at once: ${commandLine(`release '${scope}'`, flags)}`,
          );
      }),
    `headstone ${name} launch`,
  );
}
