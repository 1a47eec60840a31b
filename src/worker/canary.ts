import type { Context } from './context.ts';

const KEPT_MS = 600_000;

/**
 * Each worker writes a number of its own that grows by one a second. When the store gives back another one than the
 * last, it has forgotten acknowledged writes: a failover to a replica that was behind, a restart without a log (I14).
 */
export class Canary {
  private readonly context: Context;
  private readonly place: string;
  private last = 0;

  constructor(context: Context, token: string) {
    this.context = context;
    this.place = context.store.keys.canary(token);
  }

  async sing(): Promise<void> {
    const { store, telemetry } = this.context;
    const before = await store.client.set(this.place, this.last + 1, 'PX', KEPT_MS, 'GET');
    const found = Number(before ?? 0);
    // One more than remembered is a write whose answer was lost.
    if (this.last > 0 && found !== this.last && found !== this.last + 1)
      telemetry.emit('store_forgot', {
        expected: this.last,
        found,
        advice:
          'Redis has lost acknowledged writes: cancels and results of the last seconds may be gone. Set HEADSTONE_WAIT_REPLICAS, or appendonly.',
      });
    this.last += 1;
  }

  async leave(): Promise<void> {
    await this.context.store.client.del(this.place);
  }
}
