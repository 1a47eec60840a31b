import type { WaitOptions } from '../producer/wait.ts';
import { heldLaunches, holdAdvice } from '../shared/contract/holds.ts';
import type { Finished } from '../shared/contract/job.ts';
import type { Client } from './client/client.ts';
import { type ClientFlags, typed } from './client/with-client.ts';
import { exitCodes } from './exit-codes.ts';
import { heedCtrlC } from './interrupt.ts';

const STILL_QUEUED_MS = 5000;

/** The outcome; null where Ctrl-C ended the waiting, and then it was said how to go on with it. */
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
      process.stderr.write(`\nThe job goes on: ${typed(`wait ${id}`, { server })}\n`);
      process.exitCode = exitCodes.interrupted;
      return null;
    }
  }).finally(stopHint);
}

/** Says why nothing happens, where nothing does for a while. Gives what to call when something has. */
export function hintWhileQueued(client: Client, id: string, flags: ClientFlags): () => void {
  // An advice: where it cannot be had, there is none.
  const timer = setTimeout(() => void hint(client, id, flags).catch(() => {}), STILL_QUEUED_MS);
  return () => clearTimeout(timer);
}

async function hint(client: Client, id: string, flags: ClientFlags): Promise<void> {
  const job = await client.get(id);
  if (job?.status !== 'queued') return;
  // Not everybody may know.
  const depths = await client.depths().catch(() => null);
  const code = job.held_by === null ? undefined : depths?.holds[job.held_by];
  const why = depths?.launch_paused
    ? `launching is paused (${typed('resume launch', flags)})`
    : job.held_by === null
      ? `other jobs are before it, or no worker runs (${typed('status', flags)})`
      : `${heldLaunches(job.held_by)} are held back${code === undefined ? '' : ` (${code}). ${holdAdvice(code)}`}`;
  process.stderr.write(`Job ${id} is still queued: ${why}\n`);
}
