import { setTimeout as sleep } from 'node:timers/promises';
import { HeadstoneError } from '../contract/errors.ts';

/** Bounds a wait for the store, because a probe that hangs is worse than one that fails. Throws `store_unreachable`. */
export async function within<Answer>(ms: number, answer: Promise<Answer>): Promise<Answer> {
  const timer = new AbortController();
  const late = sleep(ms, undefined, { signal: timer.signal }).then(() => {
    throw new HeadstoneError('store_unreachable', `The store has not answered within ${ms} ms.`);
  });
  late.catch(() => {});
  answer.catch(() => {});
  return await Promise.race([answer, late]).finally(() => timer.abort());
}
