import { setTimeout as sleep } from 'node:timers/promises';
import type { Usage } from '../../shared/contract/response.ts';
import type { Provider } from './provider.ts';

/** What became of one response that was cancelled. Times in milliseconds; null: never seen. */
export interface Trial {
  cancel_after_ms: number;
  create_http: number;
  cancel_http: number | null;
  /** What the answer to the cancel said, and whether it named a usage. */
  cancel_status: string | null;
  cancel_had_usage: boolean;
  /** Every status that a read has shown after the cancel, in order. */
  statuses: string[];
  came_back_after_ms: number | null;
  usage: Usage | null;
}

const FIRST_LOOK_MS = 500;
const LONGEST_LOOK_MS = 10_000;
const GROWTH = 1.5;

const finished = new Set(['completed', 'incomplete', 'failed']);

/** Creates one background response, cancels it after a while, and watches it to its end or the window's. */
export async function tryCancel(
  provider: Provider,
  request: object,
  { cancelAfterMs, windowMs }: { cancelAfterMs: number; windowMs: number },
): Promise<Trial> {
  const trial: Trial = {
    cancel_after_ms: cancelAfterMs,
    create_http: 0,
    cancel_http: null,
    cancel_status: null,
    cancel_had_usage: false,
    statuses: [],
    came_back_after_ms: null,
    usage: null,
  };
  const created = await provider.create(request);
  trial.create_http = created.httpStatus;
  if (!created.response) return trial;
  const { id } = created.response;
  await sleep(cancelAfterMs);
  const cancelled = await provider.cancel(id);
  const cancelledAt = performance.now();
  trial.cancel_http = cancelled.httpStatus;
  trial.cancel_status = cancelled.response?.status ?? null;
  trial.cancel_had_usage = Boolean(cancelled.response?.usage);

  for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * GROWTH, LONGEST_LOOK_MS)) {
    const leftMs = windowMs - (performance.now() - cancelledAt);
    await sleep(Math.max(0, Math.min(waitMs, leftMs)));
    const { response } = await provider.retrieve(id);
    if (response) {
      if (trial.statuses.at(-1) !== response.status) trial.statuses.push(response.status);
      trial.usage = response.usage ?? trial.usage;
      if (finished.has(response.status)) {
        trial.came_back_after_ms ??= Math.round(performance.now() - cancelledAt);
        if (trial.usage) return trial;
      }
    }
    if (performance.now() - cancelledAt >= windowMs) return trial;
  }
}
