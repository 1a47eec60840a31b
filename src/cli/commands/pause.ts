import { Argument, Command } from 'commander';
import { HeadstoneError } from '../../shared/contract/errors.ts';
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
      .addArgument(launchArgument())
      .action(async (what: string | undefined, { json = false, ...flags }: ClientFlags & { json?: boolean }) => {
        if (what !== 'launch')
          throw new HeadstoneError('invalid_request', `Say what to ${name}: headstone ${name} launch.`);
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

/** The one thing that can be paused. It is named, so that nobody takes a pause for one of everything. */
function launchArgument(): Argument {
  const argument = new Argument('[what]', 'launch, which is all that can be paused');
  argument.argChoices = ['launch'];
  return argument;
}
