/** A timer that is this late had no chance to fire: the process was stopped, or far too busy. */
const LATE_MS = 500;
/** What arrived meanwhile lies in the sockets, and is heard within this time. */
const HEARING_MS = 1000;

/**
 * Calls `onTime` after `ms`, and returns what calls that off. A process that was frozen for longer wakes with its time-out and
 * its answer at hand at once, and Node fires timers first: then the answer is heard before, because with it an id would be lost.
 */
export function startTimeout(ms: number, onTime: () => void): () => void {
  const dueAt = performance.now() + ms;
  let timer = setTimeout(() => {
    if (performance.now() - dueAt < LATE_MS) onTime();
    else timer = setTimeout(onTime, HEARING_MS);
  }, ms);
  return () => clearTimeout(timer);
}

/**
 * Runs a call with a signal that aborts after `ms`, or together with `outer`. `AbortSignal.timeout` would keep the memory of
 * each call until its time has come, long after the answer (docs/decisions/0017).
 */
export async function withTimeout<Answer>(
  ms: number,
  call: (signal: AbortSignal) => Promise<Answer>,
  outer?: AbortSignal,
): Promise<Answer> {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const callOff = startTimeout(ms, abort);
  outer?.addEventListener('abort', abort, { once: true });
  if (outer?.aborted) abort();
  try {
    return await call(controller.signal);
  } finally {
    callOff();
    outer?.removeEventListener('abort', abort);
  }
}
