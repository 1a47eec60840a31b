import { setTimeout as sleep } from 'node:timers/promises';

/** Proxies close a connection on which nothing is sent. */
export const KEEPALIVE_MS = 15_000;

/** What comes, or `silent` if it has not come in time. */
export async function orSilence<Value>(coming: Promise<Value>, waitMs = KEEPALIVE_MS): Promise<Value | 'silent'> {
  const timer = new AbortController();
  const silence = sleep(waitMs, 'silent' as const, { signal: timer.signal }).catch(() => 'silent' as const);
  return await Promise.race([coming, silence]).finally(() => timer.abort());
}
