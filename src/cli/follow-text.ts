import { createInterface } from 'node:readline/promises';
import type { Producer } from '../producer/producer.ts';
import type { StreamEvent } from '../shared/contract/stream.ts';
import { printJson } from './output.ts';

export interface FollowFlags {
  json?: boolean;
  cancelOnInterrupt?: boolean;
}

/** As a shell tells of a program that Ctrl-C ended. */
const INTERRUPTED = 130;

/** Prints a job's text as it comes, or its events; Ctrl-C asks whether to cancel, or cancels where that was said before. */
export async function followText(producer: Producer, id: string, flags: FollowFlags): Promise<void> {
  const interrupted = new AbortController();
  const onInterrupt = () => interrupted.abort();
  process.once('SIGINT', onInterrupt);
  try {
    for await (const event of producer.subscribe(id, { signal: interrupted.signal })) tell(event, flags.json ?? false);
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    process.exitCode = INTERRUPTED;
    await leave(producer, id, flags.cancelOnInterrupt ?? false);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

function tell(event: StreamEvent, asJson: boolean): void {
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
      `\nThe job was ${tombstone ? `${status}${who}${why}` : `not completed: ${error?.message}`}.\n`,
    );
    process.exitCode = 1;
  }
}

async function leave(producer: Producer, id: string, cancel: boolean): Promise<void> {
  const sure = cancel || (process.stdin.isTTY && (await ask(`\nCancel job ${id}? [y/N] `)));
  if (!sure) {
    process.stderr.write(`\nThe job goes on: headstone watch ${id}\n`);
    return;
  }
  const { verdict } = await producer.cancel(id, { reason: 'interrupted at the terminal' });
  process.stderr.write(verdict === 'cancelled' ? '\nCancelled.\n' : `\n${verdict.replace('_', ' ')}.\n`);
}

async function ask(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(question)).trim());
  } catch {
    // Ctrl-C again is no yes.
    return false;
  } finally {
    terminal.close();
  }
}
