import type { WaitOptions } from '../../producer/wait.ts';
import type { Finished } from '../../shared/contract/job.ts';
import type { Client } from '../client/client.ts';
import { type ClientFlags, commandLine } from '../client/with-client.ts';
import { exitCodes } from '../terminal/exit-codes.ts';
import { heedCtrlC } from '../terminal/interrupt.ts';
import { say } from '../terminal/output.ts';
import { whyQueued } from './why-queued.ts';

const STILL_QUEUED_MS = 5000;

/** Waits for a job's outcome; null if Ctrl-C ended the waiting. Then it has said how to wait again. */
export async function waitForJob(
  client: Client,
  id: string,
  { server, ...options }: WaitOptions & ClientFlags,
): Promise<Finished | null> {
  const stopHint = hintWhileQueued(client, id, { server });
  return await heedCtrlC(async interrupted => {
    try {
      return await client.wait(id, { ...options, signal: interrupted });
    } catch (error) {
      if (!interrupted.aborted) throw error;
      process.stderr.write(
        `\nThe job was not cancelled. To wait for it again: ${commandLine(`wait ${id}`, { server })}\n`,
      );
      process.exitCode = exitCodes.interrupted;
      return null;
    }
  }).finally(stopHint);
}

/** Says why a job is still queued after a while. Returns the function that stops it. */
export function hintWhileQueued(client: Client, id: string, flags: ClientFlags): () => void {
  // It is only a hint, so an error in it does not matter.
  const timer = setTimeout(() => void hint(client, id, flags).catch(() => {}), STILL_QUEUED_MS);
  return () => clearTimeout(timer);
}

async function hint(client: Client, id: string, flags: ClientFlags): Promise<void> {
  const job = await client.get(id);
  if (job?.status !== 'queued') return;
  // Only admins may read it.
  const depths = await client.depths().catch(() => null);
  const { because, next } = whyQueued(job, depths, flags);
  say(`Job ${id} is still queued, because ${because}`);
  if (next) process.stderr.write(`${next}\n`);
}
