import type { UpstreamEvent } from '../shared/contract/stream.ts';

/** What came of waiting for an event. `broken`: the connection did, and nothing follows from it for the response. */
export type Heard =
  | { kind: 'event'; event: UpstreamEvent }
  | { kind: 'silent' }
  | { kind: 'ended' }
  | { kind: 'broken'; code: string };

/** An open connection on which the provider tells the events of a response. */
export class UpstreamStream {
  readonly servedModel: string | undefined;
  private readonly iterator: AsyncIterator<UpstreamEvent>;
  private readonly abort: () => void;
  private coming: Promise<Heard> | undefined;
  private wake: (() => void) | undefined;
  private returned: UpstreamEvent[] = [];

  constructor(events: AsyncIterable<UpstreamEvent>, abort: () => void, servedModel: string | undefined) {
    this.iterator = events[Symbol.asyncIterator]();
    this.abort = abort;
    this.servedModel = servedModel;
  }

  /** The next event; `silent` when none has come within the time, and the same one is still waited for at the next call. */
  async next(waitMs: number): Promise<Heard> {
    const event = this.returned.shift();
    if (event) return { kind: 'event', event };
    this.coming ??= this.hear();
    const { coming } = this;
    // Plain timers: thousands of events a second must not leave a signal each behind.
    return await new Promise<Heard>(resolve => {
      let isOver = false;
      const silent = () => {
        isOver = true;
        clearTimeout(timer);
        resolve({ kind: 'silent' });
      };
      const timer = setTimeout(silent, waitMs);
      this.wake = silent;
      void coming.then(heard => {
        // Came just after the time: it is kept for the next call.
        if (isOver) return;
        clearTimeout(timer);
        this.coming = undefined;
        resolve(heard);
      });
    });
  }

  /** Ends the present wait as `silent`. */
  interrupt(): void {
    this.wake?.();
  }

  /** Gives events back, to be heard again first. */
  putBack(events: UpstreamEvent[]): void {
    this.returned = [...events, ...this.returned];
  }

  /** Stops nothing at the provider. */
  close(): void {
    this.abort();
  }

  private async hear(): Promise<Heard> {
    try {
      const { done, value } = await this.iterator.next();
      return done ? { kind: 'ended' } : { kind: 'event', event: value };
    } catch (error) {
      return { kind: 'broken', code: error instanceof Error ? error.name : 'unknown' };
    }
  }
}
