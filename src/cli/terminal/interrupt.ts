/** Runs the work with a signal that Ctrl-C aborts. The process does not end at once then. */
export async function heedCtrlC<Result>(work: (interrupted: AbortSignal) => Promise<Result>): Promise<Result> {
  const interrupted = new AbortController();
  const onInterrupt = () => interrupted.abort();
  process.once('SIGINT', onInterrupt);
  try {
    return await work(interrupted.signal);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}
