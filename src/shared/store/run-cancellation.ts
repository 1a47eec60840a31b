import type { Telemetry } from '../runtime/telemetry.ts';
import type { Store } from './store.ts';

/** Looked at in one step of Redis: docs/decisions/0009 has what a step of so many takes. */
const CHUNK = 25;
const MOST_AT_ONCE = 10;

/**
 * Works through a cancellation to its end, a chunk at a time. Returns early where it was stopped, and throws when the
 * signal says so. Throws `not_durable` where too few replicas hold it: what was cancelled is cancelled, and to run it
 * again asks again.
 */
export async function runCancellation(
  store: Store,
  telemetry: Telemetry,
  id: string,
  signal?: AbortSignal,
): Promise<void> {
  for (;;) {
    signal?.throwIfAborted();
    const { reply, decided, work } = await store.run('advance_cancellation', { id, most: CHUNK });
    for (const [jobId, model] of decided) {
      telemetry.emit('job_decided', { job_id: jobId, model, outcome: 'cancelled' });
      telemetry.emit('job_cancel_asked', { job_id: jobId, verdict: 'cancelled' });
    }
    await store.outbox.followQuietly(work);
    if (reply === 'more') continue;
    // Its end was written after all that it cancelled, and vouches for it: no step before waits for the replicas.
    if (reply !== 'missing') await store.untilCancellationDurable(id, reply);
    return;
  }
}

/** The cancellations that nobody has worked at for so long: their process is gone. */
export async function abandonedCancellations(store: Store, quietMs: number): Promise<string[]> {
  await store.ready();
  return await store.guard(() =>
    store.client.zrangebyscore(store.keys.cancellations(), 0, store.now() - quietMs, 'LIMIT', 0, MOST_AT_ONCE),
  );
}
