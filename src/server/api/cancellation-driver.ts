import type { Producer } from '../../producer/producer.ts';
import type { Telemetry } from '../../shared/runtime/telemetry.ts';

const LOOK_MS = 5000;
/** So long without a step, and whoever worked at it is gone. */
const QUIET_MS = 5000;

/** Works through cancellations behind the answer that accepted them, and goes on with those of a server that ended. */
export class CancellationDriver {
  private readonly producer: Producer;
  private readonly telemetry: Telemetry;
  private readonly stopping = new AbortController();
  private readonly running = new Map<string, Promise<void>>();
  private readonly timer: NodeJS.Timeout;

  constructor(producer: Producer, telemetry: Telemetry) {
    this.producer = producer;
    this.telemetry = telemetry;
    this.timer = setInterval(() => void this.takeOver(), LOOK_MS).unref();
  }

  drive(id: string): void {
    if (this.running.has(id) || this.stopping.signal.aborted) return;
    const run = this.producer.cancellations
      .run(id, this.stopping.signal)
      // Its record knows how far it came: the next look goes on from there.
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

  /** Resolves when no step is under way any more. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.stopping.abort();
    await Promise.all(this.running.values());
  }

  private async takeOver(): Promise<void> {
    // With the store away there is nothing to find, and the next look comes soon.
    const ids = await this.producer.cancellations.abandoned(QUIET_MS).catch(() => []);
    for (const id of ids) this.drive(id);
  }
}
