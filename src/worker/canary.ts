import { CANARY_KEPT_MS, type Patrol } from '../shared/store/patrol.ts';
import type { Context } from './context.ts';

/**
 * A number in the store that this worker raises by one each second. If the store returns a smaller one than it was given, it
 * has lost acknowledged writes, as after a failover to a replica that was behind or a restart without a log (I14).
 */
export class Canary {
  private readonly patrol: Patrol;
  private readonly telemetry: Context['telemetry'];
  private readonly token: string;
  private last = 0;
  private sungAt = performance.now();

  constructor(patrol: Patrol, token: string, telemetry: Context['telemetry']) {
    this.patrol = patrol;
    this.token = token;
    this.telemetry = telemetry;
  }

  async sing(): Promise<void> {
    const found = await this.patrol.swapCanary(this.token, this.last + 1);
    const silentMs = performance.now() - this.sungAt;
    this.sungAt = performance.now();
    // After a long sleep it has expired.
    const hasExpired = found === 0 && silentMs > CANARY_KEPT_MS / 2;
    // One more than remembered is a write that arrived and whose answer was lost.
    if (this.last > 0 && !hasExpired && found !== this.last && found !== this.last + 1)
      this.telemetry.emit('store_forgot', {
        expected: this.last,
        found,
        advice:
          'Redis has lost acknowledged writes. Cancels and results of the last seconds may be gone. Set appendonly yes and appendfsync always in Redis, and HEADSTONE_WAIT_REPLICAS if it has replicas.',
      });
    this.last += 1;
  }

  async leave(): Promise<void> {
    await this.patrol.removeCanary(this.token);
  }
}
