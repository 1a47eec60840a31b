import { setTimeout as sleep } from 'node:timers/promises';
import { HeadstoneError } from '../shared/contract/errors.ts';

const RETRY_MS = 250;

/**
 * Repeats a write until the store takes it, however long that takes: what is written so must not be lost.
 * Gives up only when the process has to end, and then throws the store's error.
 */
export async function insist<Result>(write: () => Promise<Result>, stopping: AbortSignal): Promise<Result> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (stopping.aborted || !(error instanceof HeadstoneError && error.retryable)) throw error;
      await sleep(RETRY_MS, undefined, { signal: stopping }).catch(() => {});
    }
  }
}
