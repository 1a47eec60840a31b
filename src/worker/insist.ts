import { setTimeout as sleep } from 'node:timers/promises';
import { HeadstoneError } from '../shared/contract/errors.ts';

const RETRY_MS = 250;
/** How long a process that has to end goes on trying. */
const LAST_TRIES_MS = 5000;

/**
 * Repeats a write until the store takes it, however long that takes: what is written so must not be lost.
 * Gives up only when the process has to end, some seconds later, and then throws the store's error.
 */
export async function insist<Result>(write: () => Promise<Result>, stopping: AbortSignal): Promise<Result> {
  let giveUpAt = Number.POSITIVE_INFINITY;
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (stopping.aborted) giveUpAt = Math.min(giveUpAt, performance.now() + LAST_TRIES_MS);
      if (performance.now() >= giveUpAt || !(error instanceof HeadstoneError && error.retryable)) throw error;
      await sleep(RETRY_MS);
    }
  }
}
