import type { Telemetry } from '../runtime/telemetry.ts';

/** Works through a cancellation to its end, or until the signal is aborted. */
type Run = (id: string, signal: AbortSignal) => Promise<void>;

/** Works on cancellations in the background: a server on those that it accepted, a worker on those whose process died. */
export class CancellationDriver {
  private readonly run: Run;
  private readonly telemetry: Telemetry;
  private readonly stopping = new AbortController();
  private readonly running = new Map<string, Promise<void>>();

  constructor(run: Run, telemetry: Telemetry) {
    this.run = run;
    this.telemetry = telemetry;
  }

  drive(id: string): void {
    if (this.running.has(id) || this.stopping.signal.aborted) return;
    const run = this.run(id, this.stopping.signal)
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

  /** Carries on with cancellations whose process died. */
  takeOver(ids: string[]): void {
    for (const id of ids) {
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
