import { setTimeout as sleep } from 'node:timers/promises';
import type { Usage } from '../../shared/contract/response.ts';
import type { Answered, Provider, ProviderError } from './provider.ts';

/** What one answer of the provider showed. */
export interface Seen {
  /** Milliseconds since the cancel was answered; null before that. */
  after_ms: number | null;
  /** The HTTP status; 0 if no answer came. */
  http: number;
  error: ProviderError | null;
  /** The response's status; null if the body was none. */
  status: string | null;
  has_usage: boolean;
  output_items: number;
}

/** One response that was cancelled, and what became of it. */
export interface Trial {
  cancel_after_ms: number;
  response_id: string | null;
  /** True if the create had no certain end, so that a response may run unseen and be billed. */
  may_run_unseen: boolean;
  create: Seen | null;
  cancel: Seen | null;
  /** The reads after the cancel that differed from the one before. */
  reads: Seen[];
  /** Milliseconds since the cancel; null if it did not come back, or the provider did not take the cancel. */
  came_back_after_ms: number | null;
  /** Null if no read showed one. */
  usage: Usage | null;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
const GROWTH = 1.5;

const finished = new Set(['completed', 'incomplete', 'failed']);

export function newTrial(cancelAfterMs: number): Trial {
  return {
    cancel_after_ms: cancelAfterMs,
    response_id: null,
    may_run_unseen: false,
    create: null,
    cancel: null,
    reads: [],
    came_back_after_ms: null,
    usage: null,
  };
}

/**
 * Creates a background response, cancels it after a while, watches it until it or the window ends, and writes what it sees into
 * the trial. `enough` ends the watching early, but the response is cancelled in any case.
 */
export async function tryCancel(
  provider: Provider,
  request: object,
  trial: Trial,
  { windowMs, enough }: { windowMs: number; enough: AbortSignal },
): Promise<void> {
  const pause = (ms: number) => sleep(ms, undefined, { signal: enough }).catch(() => {});
  const created = await provider.create(request);
  trial.create = seenIn(created, null);
  trial.may_run_unseen = created.mayRun;
  if (!created.response) return;
  const { id } = created.response;
  trial.response_id = id;
  await pause(trial.cancel_after_ms);
  const cancelled = await provider.cancel(id);
  const cancelledAt = performance.now();
  trial.cancel = seenIn(cancelled, 0);
  trial.usage = cancelled.response?.usage ?? null;

  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * GROWTH, LONGEST_WAIT_MS)) {
    const leftMs = windowMs - (performance.now() - cancelledAt);
    await pause(Math.max(0, Math.min(waitMs, leftMs)));
    if (enough.aborted) return;
    const read = await provider.retrieve(id);
    const afterMs = Math.round(performance.now() - cancelledAt);
    addRead(trial, seenIn(read, afterMs));
    trial.usage = read.response?.usage ?? trial.usage;
    if (finished.has(read.response?.status ?? '')) {
      if (trial.cancel.status === 'cancelled') trial.came_back_after_ms ??= afterMs;
      if (trial.usage) return;
    }
    if (afterMs >= windowMs) return;
  }
}

function seenIn({ httpStatus, response, error }: Answered, afterMs: number | null): Seen {
  return {
    after_ms: afterMs,
    http: httpStatus,
    error,
    status: response?.status ?? null,
    has_usage: Boolean(response?.usage),
    output_items: response?.output?.length ?? 0,
  };
}

function addRead({ reads }: Trial, seen: Seen): void {
  const last = reads.at(-1);
  if (!last || shapeOf(last) !== shapeOf(seen)) reads.push(seen);
}

/** A key that is the same for answers of one kind. */
export function shapeOf({ http, error, status, has_usage, output_items }: Seen): string {
  return JSON.stringify([http, error?.code, status, has_usage, output_items > 0]);
}
