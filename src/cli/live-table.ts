import { setTimeout as sleep } from 'node:timers/promises';
import { createLogUpdate } from 'log-update';

const REDRAW_MS = 250;

export interface LiveTable {
  /** Resolves when the last picture stands; what is printed next comes below it. */
  stop(): Promise<void>;
}

/** False for a program or a file as reader, and for a terminal that does not say how large it is. */
export function hasScreen(): boolean {
  return process.stdout.isTTY && process.stdout.columns > 0;
}

/** Redraws a text on the screen until it is told to stop; where there is none, draws nothing. */
export function startLiveTable(draw: () => Promise<string>): LiveTable {
  if (!hasScreen()) return { stop: async () => {} };
  // With the cursor left alone, Ctrl-C is left alone too.
  const screen = createLogUpdate(process.stdout, { showCursor: true });
  const stopping = new AbortController();
  const drawing = (async () => {
    while (!stopping.signal.aborted) {
      screen(await draw());
      await sleep(REDRAW_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
    screen(await draw());
  })()
    // The store or the server may be stopped under it; the demo itself says what went wrong.
    .catch(() => {})
    .finally(() => screen.done());
  return {
    async stop() {
      stopping.abort();
      await drawing;
    },
  };
}
