import type { StreamEvent } from '../../shared/contract/stream.ts';
import { howRefused } from '../../shared/runtime/outcome-sentence.ts';
import type { Client } from '../client/client.ts';
import { type ClientFlags, commandLine } from '../client/with-client.ts';
import { confirm } from '../terminal/confirm.ts';
import { exitCodes } from '../terminal/exit-codes.ts';
import { heedCtrlC } from '../terminal/interrupt.ts';
import { printJson } from '../terminal/output.ts';
import { hintWhileQueued } from './wait-for-job.ts';

export interface FollowFlags extends ClientFlags {
  json?: boolean;
  cancelOnInterrupt?: boolean;
}

/** Prints a job's text, or its events, as they come. Ctrl-C asks whether to cancel, unless a flag has answered that. */
export async function followText(client: Client, id: string, flags: FollowFlags): Promise<void> {
  const stopHint = hintWhileQueued(client, id, flags);
  await heedCtrlC(async interrupted => {
    try {
      for await (const event of client.subscribe(id, { signal: interrupted })) tell(event, flags.json ?? false);
    } catch (error) {
      if (!interrupted.aborted) throw error;
      process.exitCode = exitCodes.interrupted;
      await leave(client, id, flags);
    }
  }).finally(stopHint);
}

function tell(event: StreamEvent, asJson: boolean): void {
  if (event.type === 'response.failed') process.exitCode = exitCodes.failed;
  if (asJson) {
    printJson(event);
    return;
  }
  if (event.type === 'response.output_text.delta') process.stdout.write(String(event.delta));
  if (event.type === 'response.completed' || event.type === 'response.incomplete') process.stdout.write('\n');
  if (event.type === 'response.failed') {
    const { status, error, headstone } = event.response as {
      status: string;
      error: { message: string } | null;
      headstone: { tombstone: { reason: string | null; actor: string | null } | null };
    };
    const { tombstone } = headstone;
    const who = tombstone?.actor ? ` by ${tombstone.actor}` : '';
    const why = tombstone?.reason ? `: ${tombstone.reason}` : '';
    process.stderr.write(
      tombstone ? `\nThe job ${howRefused(status)}${who}${why}.\n` : `\nThe job failed: ${error?.message}\n`,
    );
  }
}

async function leave(client: Client, id: string, flags: FollowFlags): Promise<void> {
  const sure = flags.cancelOnInterrupt || (process.stdin.isTTY && (await confirm(`\nCancel job ${id}?`)));
  if (!sure) {
    process.stderr.write(`\nThe job was not cancelled. To follow it again: ${commandLine(`watch ${id}`, flags)}\n`);
    return;
  }
  const { verdict } = await client.cancel(id, { reason: 'interrupted at the terminal' });
  process.stderr.write(
    verdict === 'cancelled' ? '\nCancelled.\n' : `\nNothing to cancel: ${verdict.replace('_', ' ')}.\n`,
  );
}
