import type { Telemetry } from '../runtime/telemetry.ts';
import type { Lane } from './lane.ts';

/** How many jobs one step reads. docs/decisions/0009 says how long a step of this size takes. */
const CHUNK = 25;
const MOST_AT_ONCE = 10;

/** How long a cancellation is kept after it began, with the list of its jobs. */
export const CANCELLATION_KEPT_MS = 7 * 86_400_000;

const QUIET_MS = 5000;

/**
 * Works through a cancellation to its end, one chunk at a time. Returns early if the cancellation was stopped, and throws if
 * the signal is aborted. Throws `not_durable` if too few replicas hold it: the jobs are cancelled, and running it again asks
 * the replicas again.
 */
export async function runCancellation(
  store: Lane,
  telemetry: Telemetry,
  id: string,
  signal?: AbortSignal,
): Promise<void> {
  for (;;) {
    signal?.throwIfAborted();
    const { reply, decided, work } = await store.run('advance_cancellation', {
      id,
      limit: CHUNK,
      keep_ms: CANCELLATION_KEPT_MS,
    });
    for (const [jobId, model] of decided) {
      telemetry.emit('job_decided', { job_id: jobId, model, outcome: 'cancelled' });
      telemetry.emit('job_cancel_asked', { job_id: jobId, verdict: 'cancelled' });
    }
    await store.outbox.carryOutQuietly(work);
    if (reply === 'more') continue;
    // The end was written after everything that it cancelled, so only the end has to be confirmed by the replicas.
    if (reply !== 'missing') await store.untilCancellationDurable(id, reply);
    return;
  }
}

/** The cancellations whose process is taken for dead, because none has worked on them for a while. */
export async function abandonedCancellations(store: Lane, quietMs = QUIET_MS): Promise<string[]> {
  return await store.ask(client =>
    client.zrangebyscore(store.keys.cancellations(), 0, store.now() - quietMs, 'LIMIT', 0, MOST_AT_ONCE),
  );
}
