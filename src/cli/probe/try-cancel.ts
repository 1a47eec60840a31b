import { setTimeout as sleep } from 'node:timers/promises';
import type { Usage } from '../../shared/contract/response.ts';
import type { Answered, Provider, ProviderError } from './provider.ts';

/** What one answer of the provider looked like. */
export interface Look {
  /** Since the cancel was answered, in milliseconds; null before that. */
  after_ms: number | null;
  /** 0: no answer came. */
  http: number;
  error: ProviderError | null;
  /** Of the body; null where it was no response. */
  status: string | null;
  has_usage: boolean;
  output_items: number;
}

/** What became of one response that was cancelled. */
export interface Trial {
  cancel_after_ms: number;
  response_id: string | null;
  /** True where the create had no certain end: a response of it may run, unseen, and be billed. */
  may_run_unseen: boolean;
  create: Look | null;
  cancel: Look | null;
  /** After the cancel, each that differed from the one before. */
  reads: Look[];
  /** Since the cancel; null: it did not, or the cancel was not taken. */
  came_back_after_ms: number | null;
  /** Null: never seen. */
  usage: Usage | null;
}

const FIRST_LOOK_MS = 500;
const LONGEST_LOOK_MS = 10_000;
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
 * Creates one background response, cancels it after a while, and watches it to its end or the window's, writing into the
 * trial what it sees. `enough` ends the watching early; whatever was created is cancelled all the same.
 */
export async function tryCancel(
  provider: Provider,
  request: object,
  trial: Trial,
  { windowMs, enough }: { windowMs: number; enough: AbortSignal },
): Promise<void> {
  const pause = (ms: number) => sleep(ms, undefined, { signal: enough }).catch(() => {});
  const created = await provider.create(request);
  trial.create = lookOf(created, null);
  trial.may_run_unseen = created.mayRun;
  if (!created.response) return;
  const { id } = created.response;
  trial.response_id = id;
  await pause(trial.cancel_after_ms);
  const cancelled = await provider.cancel(id);
  const cancelledAt = performance.now();
  trial.cancel = lookOf(cancelled, 0);
  trial.usage = cancelled.response?.usage ?? null;

  for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * GROWTH, LONGEST_LOOK_MS)) {
    const leftMs = windowMs - (performance.now() - cancelledAt);
    await pause(Math.max(0, Math.min(waitMs, leftMs)));
    if (enough.aborted) return;
    const read = await provider.retrieve(id);
    const afterMs = Math.round(performance.now() - cancelledAt);
    addRead(trial, lookOf(read, afterMs));
    trial.usage = read.response?.usage ?? trial.usage;
    if (finished.has(read.response?.status ?? '')) {
      if (trial.cancel.status === 'cancelled') trial.came_back_after_ms ??= afterMs;
      if (trial.usage) return;
    }
    if (afterMs >= windowMs) return;
  }
}

function lookOf({ httpStatus, response, error }: Answered, afterMs: number | null): Look {
  return {
    after_ms: afterMs,
    http: httpStatus,
    error,
    status: response?.status ?? null,
    has_usage: Boolean(response?.usage),
    output_items: response?.output?.length ?? 0,
  };
}

function addRead({ reads }: Trial, look: Look): void {
  const last = reads.at(-1);
  if (!last || shapeOf(last) !== shapeOf(look)) reads.push(look);
}

/** What two answers have in common that look alike. */
export function shapeOf({ http, error, status, has_usage, output_items }: Look): string {
  return JSON.stringify([http, error?.code, status, has_usage, output_items > 0]);
}
