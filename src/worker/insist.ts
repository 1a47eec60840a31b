import { setTimeout as sleep } from 'node:timers/promises';
import { HeadstoneError } from '../shared/contract/errors.ts';
import { unlessAborted } from '../shared/runtime/unless-aborted.ts';
import type { Context } from './context.ts';

const RETRY_MS = 250;
/** How long a process that is stopping goes on trying. */
const LAST_TRIES_MS = 5000;

/**
 * Repeats a write that must not be lost until the store takes it, however long that takes. It gives up only if the process
 * has to end, some seconds later or when waiting is hopeless. Then it throws the store's error.
 */
export async function insist<Result>(
  write: () => Promise<Result>,
  { stopping, hopeless }: Pick<Context, 'stopping' | 'hopeless'>,
): Promise<Result> {
  let giveUpAt = Number.POSITIVE_INFINITY;
  for (;;) {
    try {
      // While the connection is away, a write may wait for as long as it likes.
      return await unlessAborted(write(), hopeless);
    } catch (error) {
      if (stopping.aborted) giveUpAt = Math.min(giveUpAt, performance.now() + LAST_TRIES_MS);
      const isOver = hopeless.aborted || performance.now() >= giveUpAt;
      if (isOver || !(error instanceof HeadstoneError && error.retryable)) throw error;
      await sleep(RETRY_MS, undefined, { signal: hopeless }).catch(() => {});
    }
  }
}
