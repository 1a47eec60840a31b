import { HeadstoneError } from '../shared/contract/errors.ts';
import type { Finished, Job } from '../shared/contract/job.ts';
import { span } from '../shared/runtime/format.ts';
import type { Lane } from '../shared/store/lane.ts';
import { Bell } from './bell.ts';

export interface WaitOptions {
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** A message on the channel may be lost, so the record is read again this often without one. */
const REREAD_MS = 5000;
/** How often a store that does not answer is asked again. */
const RETRY_MS = 500;

export async function waitForOutcome(store: Lane, id: string, options: WaitOptions): Promise<Finished> {
  const bell = new Bell();
  const { timeoutMs, signal } = options;
  const timeout = timeoutSignal(timeoutMs);
  const ended = AbortSignal.any([signal, timeout].filter(one => one !== undefined));
  const onEnd = () => bell.ring();
  for (const end of [ended, store.closing]) end.addEventListener('abort', onEnd);
  let stopListening = () => {};
  // Listening is not waited for. It may take long while the store is away, and the record is read anyway.
  const listening = store.decisions
    .listen(message => {
      if (message === null || message.id === id) bell.ring();
    })
    .then(stop => {
      stopListening = stop;
      // An outcome that was decided before this listened has rung no bell.
      bell.ring();
    })
    .catch(() => {});
  try {
    let seen = false;
    for (;;) {
      signal?.throwIfAborted();
      store.closing.throwIfAborted();
      if (timeout?.aborted) throw timedOut(id, timeoutMs ?? 0);
      const job = await read(store, id, seen);
      if (job === null)
        throw new HeadstoneError(
          'job_not_found',
          `There is no job ${id}. It was never enqueued, or its record has expired.`,
        );
      if (job !== 'unreachable') {
        seen = true;
        const finished = finishedOf(job);
        if (finished) return finished;
      }
      await bell.heard(job === 'unreachable' ? RETRY_MS : REREAD_MS);
    }
  } finally {
    void listening.then(() => stopListening());
    for (const end of [ended, store.closing]) end.removeEventListener('abort', onEnd);
    bell.close();
  }
}

/** The first read may fail. Later ones wait for a lost store, because the job goes on meanwhile. */
async function read(store: Lane, id: string, patient: boolean): Promise<Job | null | 'unreachable'> {
  try {
    return await store.job(id);
  } catch (error) {
    if (patient && error instanceof HeadstoneError && error.retryable) return 'unreachable';
    throw error;
  }
}

/** Node's timers end at once if they are longer than 24.8 days. */
export function timeoutSignal(timeoutMs: number | undefined): AbortSignal | undefined {
  return timeoutMs === undefined ? undefined : AbortSignal.timeout(Math.min(timeoutMs, 2_147_483_647));
}

export function timedOut(id: string, timeoutMs: number): HeadstoneError {
  return new HeadstoneError(
    'wait_timeout',
    `Job ${id} has not ended after ${waited(timeoutMs)}. It is still open. Wait again, or cancel it.`,
  );
}

/** A timeout as people gave it: `1 s` and not `1.0 s`. */
function waited(ms: number): string {
  return span(ms)
    .replace(/ 0 (s|min)$/, '')
    .replace('.0 s', ' s');
}

/** Null while the job is open. Throws `result_expired`. */
export function finishedOf(job: Job): Finished | null {
  const { id, status } = job;
  switch (status) {
    case 'completed':
    case 'incomplete':
      if (job.response === null)
        throw new HeadstoneError(
          'result_expired',
          job.outcome?.result === 'deleted'
            ? `Job ${id} ended as ${status}, and its result was deleted.`
            : `Job ${id} ended as ${status}, and its result is no longer kept (HEADSTONE_RESULT_TTL_MS).`,
        );
      return { id, status, response: job.response };
    case 'failed':
      return { id, status, error: job.outcome?.error ?? { code: 'server_error', message: 'The run failed.' } };
    case 'cancelled':
    case 'expired':
      return job.tombstone && { id, status, tombstone: job.tombstone };
    default:
      return null;
  }
}
