import type { WaitOptions } from '../producer/wait.ts';
import type { Finished } from '../shared/contract/job.ts';
import type { Client } from './client/client.ts';

const STILL_QUEUED_MS = 5000;
/** As a shell tells of a program that Ctrl-C ended. */
export const INTERRUPTED = 130;

/** The outcome; null where Ctrl-C ended the waiting, and then it was said how to go on with it. */
export async function waitForJob(client: Client, id: string, options: WaitOptions = {}): Promise<Finished | null> {
  const interrupted = new AbortController();
  const onInterrupt = () => interrupted.abort();
  process.once('SIGINT', onInterrupt);
  const stopHint = hintWhileQueued(client, id);
  try {
    return await client.wait(id, { ...options, signal: interrupted.signal });
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    process.stderr.write(`\nThe job goes on: headstone wait ${id}\n`);
    process.exitCode = INTERRUPTED;
    return null;
  } finally {
    stopHint();
    process.off('SIGINT', onInterrupt);
  }
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
