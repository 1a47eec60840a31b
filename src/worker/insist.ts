import { setTimeout as sleep } from 'node:timers/promises';
import { HeadstoneError } from '../shared/contract/errors.ts';
import { unlessAborted } from '../shared/runtime/unless-aborted.ts';
import type { Context } from './context.ts';

const RETRY_MS = 250;
/** How long a process that has to end goes on trying. */
const LAST_TRIES_MS = 5000;

/**
 * Repeats a write until the store takes it, however long that takes: what is written so must not be lost.
 * Gives up only when the process has to end, some seconds later or when that is hopeless, and then throws the store's error.
 */
export async function insist<Result>(
  write: () => Promise<Result>,
  { stopping, hopeless }: Pick<Context, 'stopping' | 'hopeless'>,
): Promise<Result> {
  let giveUpAt = Number.POSITIVE_INFINITY;
  for (;;) {
    try {
      // A connection that is away may keep a write for as long as it likes.
      return await unlessAborted(write(), hopeless);
    } catch (error) {
      if (stopping.aborted) giveUpAt = Math.min(giveUpAt, performance.now() + LAST_TRIES_MS);
      const isOver = hopeless.aborted || performance.now() >= giveUpAt;
      if (isOver || !(error instanceof HeadstoneError && error.retryable)) throw error;
      await sleep(RETRY_MS, undefined, { signal: hopeless }).catch(() => {});
    }
  }
}
