import { Command } from 'commander';
import { type ClientFlags, commandLine, withClient } from '../client/with-client.ts';
import { print, printJson, withExamples, withJson } from '../terminal/output.ts';

/** `--server` belongs to the command itself, so its parts read it there. */
function flagsOf(part: Command): ClientFlags {
  return part.optsWithGlobals<ClientFlags>();
}

export function webhookCommand(): Command {
  return withExamples(
    new Command('webhook')
      .addCommand(
        withJson(
          new Command('resend')
            .description('send the message about a job’s outcome again, for up to 24 hours')
            .argument('<id>', 'the job')
            .action(async (id: string, { json = false }: { json?: boolean }, command: Command) => {
              await withClient(flagsOf(command), client => client.resendCallback(id));
              if (json) printJson({ id, resent: true });
              else
                print(
                  `The message is being sent again. “${commandLine(`get ${id}`, flagsOf(command))}” shows whether it arrived.`,
                );
            }),
          'headstone webhook resend resp_0123456789abcdef0123456789abcdef',
        ),
      )
      .addCommand(
        withJson(
          new Command('secret')
            .description('show the secret with which messages to the callbacks of a tenant are signed')
            .option('--tenant <name>', 'the tenant; with --server and a key, your own')
            .action(async ({ json = false, tenant }: { json?: boolean; tenant?: string }, command: Command) => {
              const secret = await withClient(flagsOf(command), client => client.callbackSecret(tenant));
              if (json) printJson({ secret });
              else print(secret);
            }),
          'headstone webhook secret --tenant harbour',
        ),
      ),
    'headstone webhook resend resp_…',
    'headstone webhook secret --tenant harbour',
  );
}
