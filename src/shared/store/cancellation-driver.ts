import type { Telemetry } from '../runtime/telemetry.ts';
import { abandonedCancellations, runCancellation } from './run-cancellation.ts';
import type { Store } from './store.ts';

/** After this long without a step, the process that worked on a cancellation is taken for dead. */
const QUIET_MS = 5000;

/** Works on cancellations in the background: a server on those that it accepted, a worker on those whose process died. */
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
      // A worker carries on from the progress in its record.
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

  /** Carries on with the cancellations whose process died. */
  async takeOver(): Promise<void> {
    for (const id of await abandonedCancellations(this.store, QUIET_MS)) {
      if (!this.running.has(id)) this.telemetry.emit('cancellation_taken_over', { cancellation_id: id });
      this.drive(id);
    }
  }

  /** Resolves when no step is under way. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.running.values());
  }
}
