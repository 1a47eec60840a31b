import type { WaitOptions } from '../producer/wait.ts';
import type { Finished } from '../shared/contract/job.ts';
import type { Client } from './client/client.ts';
import { heedCtrlC, INTERRUPTED } from './interrupt.ts';

const STILL_QUEUED_MS = 5000;

/** The outcome; null where Ctrl-C ended the waiting, and then it was said how to go on with it. */
export async function waitForJob(client: Client, id: string, options: WaitOptions = {}): Promise<Finished | null> {
  const stopHint = hintWhileQueued(client, id);
  return await heedCtrlC(async interrupted => {
    try {
      return await client.wait(id, { ...options, signal: interrupted });
    } catch (error) {
      if (!interrupted.aborted) throw error;
      process.stderr.write(`\nThe job goes on: headstone wait ${id}\n`);
      process.exitCode = INTERRUPTED;
      return null;
    }
  }).finally(stopHint);
}

/** Says why nothing happens, where nothing does for a while. Gives what to call when something has. */
export function hintWhileQueued(client: Client, id: string): () => void {
  // An advice: where it cannot be had, there is none.
  const timer = setTimeout(() => void hint(client, id).catch(() => {}), STILL_QUEUED_MS);
  return () => clearTimeout(timer);
}

async function hint(client: Client, id: string): Promise<void> {
  const job = await client.get(id);
  if (job?.status !== 'queued') return;
  const isPaused = await client.depths().then(
    depths => depths.launch_paused,
    // Not everybody may know.
    () => false,
  );
  const why = isPaused
    ? 'launching is paused (headstone resume launch)'
    : job.held_by === null
      ? 'other jobs are before it, or no worker runs (headstone status)'
      : `launches of ${job.held_by} are held back (headstone get ${id})`;
  process.stderr.write(`Job ${id} is still queued: ${why}.\n`);
}
