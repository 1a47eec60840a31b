import type { Telemetry } from '../runtime/telemetry.ts';
import { abandonedCancellations, runCancellation } from './run-cancellation.ts';
import type { Store } from './store.ts';

/** So long without a step, and whoever worked at it is gone. */
const QUIET_MS = 5000;

/** Works through cancellations in the background: a server those that it accepted, a worker those whose process ended. */
export class CancellationDriver {
  private readonly store: Store;
  private readonly telemetry: Telemetry;
  private readonly stopping = new AbortController();
  private readonly running = new Map<string, Promise<void>>();

  constructor(store: Store, telemetry: Telemetry) {
    this.store = store;
    this.telemetry = telemetry;
  }

  drive(id: string): void {
    if (this.running.has(id) || this.stopping.signal.aborted) return;
    const run = runCancellation(this.store, this.telemetry, id, this.stopping.signal)
      // Its record knows how far it came, and a worker goes on from there.
      .catch((error: unknown) => {
        if (!this.stopping.signal.aborted)
          this.telemetry.emit('cancellation_interrupted', {
            cancellation_id: id,
            error: error instanceof Error ? error.name : 'unknown',
          });
      })
      .finally(() => this.running.delete(id));
    this.running.set(id, run);
  }

  /** Goes on with those that were left in the middle. */
  async takeOver(): Promise<void> {
    for (const id of await abandonedCancellations(this.store, QUIET_MS)) {
      if (!this.running.has(id)) this.telemetry.emit('cancellation_taken_over', { cancellation_id: id });
      this.drive(id);
    }
  }

  /** Resolves when no step is under way any more. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.running.values());
  }
}
