import { Argument, Command } from 'commander';
import { type ClientFlags, withClient } from '../client/with-client.ts';
import { print, printJson, withJson } from '../output.ts';

export function pauseCommand(): Command {
  return switchCommand('pause', 'stops launching: nothing new is spent; what runs goes on, and cancels work', true);
}

export function resumeCommand(): Command {
  return switchCommand('resume', 'launches again', false);
}

function switchCommand(name: string, description: string, isPaused: boolean): Command {
  return withJson(
    new Command(name)
      .description(description)
      // Looks and watches are never paused: a provider may delete a response after ten minutes.
      .addArgument(new Argument('<launch>').choices(['launch']))
      .action(async (_queue: string, { json = false, ...flags }: ClientFlags & { json?: boolean }) => {
        await withClient(flags, async client => await client.pauseLaunch(isPaused));
        if (json) printJson({ launch_paused: isPaused });
        else print(isPaused ? 'Launching is paused.' : 'Launching goes on.');
      }),
    `headstone ${name} launch`,
  );
}
