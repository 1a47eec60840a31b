import { setTimeout as sleep } from 'node:timers/promises';
import { createLogUpdate } from 'log-update';

const REDRAW_MS = 250;

export interface LiveTable {
  /** Resolves once the table was drawn for the last time. What is printed next comes below it. */
  stop(): Promise<void>;
}

/** False if standard output is no terminal, or a terminal of unknown size. */
export function hasScreen(): boolean {
  return process.stdout.isTTY && process.stdout.columns > 0;
}

/** Redraws a text on the screen until it is stopped. Without a screen it draws nothing. */
export function startLiveTable(draw: () => Promise<string>): LiveTable {
  if (!hasScreen()) return { stop: async () => {} };
  // Hiding the cursor would change what Ctrl-C does.
  const screen = createLogUpdate(process.stdout, { showCursor: true });
  const stopping = new AbortController();
  const drawing = (async () => {
    while (!stopping.signal.aborted) {
      screen(await draw());
      await sleep(REDRAW_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
    screen(await draw());
  })()
    // The store or the server may stop meanwhile. The demo says what went wrong.
    .catch(() => {})
    .finally(() => screen.done());
  return {
    async stop() {
      stopping.abort();
      await drawing;
    },
  };
}
