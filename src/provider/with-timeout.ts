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
  const timer = setTimeout(abort, ms);
  outer?.addEventListener('abort', abort, { once: true });
  if (outer?.aborted) abort();
  try {
    return await call(controller.signal);
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', abort);
  }
}
