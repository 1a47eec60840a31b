import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Telemetry } from '../shared/runtime/telemetry.ts';
import type { Lane } from '../shared/store/lane.ts';
import { ATTENDED_FOR_MS, CLIENT_DISCONNECTED } from '../shared/store/lua/attend.ts';
import type { Store } from '../shared/store/store.ts';
import { cancelIn } from './cancel.ts';

const RENEW_MS = ATTENDED_FOR_MS / 3;
/** After a renewal that failed. */
const RETRY_MS = 1000;
/** Redis' clock may be a little behind this process's timers. */
const EARLY_MS = 100;
const TRIES = 3;

/**
 * The callers of this process that wait for jobs. Once all callers of a job have gone, and none has come back within the grace,
 * the job is cancelled. What this process does not live to do, a worker's sweeper does.
 */
export class Attendance {
  private readonly store: Store;
  private readonly telemetry: Telemetry;
  private readonly graceMs: number;
  private readonly token = randomUUID();
  private readonly callers = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(store: Store, telemetry: Telemetry, graceMs: number) {
    this.store = store;
    this.telemetry = telemetry;
    this.graceMs = graceMs;
  }

  /**
   * Notes a caller. `sent` tells its request from others, if nothing names it. Call the function that it returns when the caller
   * no longer waits here: with false if it has gone, so that the job is to be cancelled.
   */
  async enter(id: string, sent: string | undefined): Promise<(mayGoOn: boolean) => void> {
    this.callers.set(id, (this.callers.get(id) ?? 0) + 1);
    this.renewIn(RENEW_MS);
    // If this fails, the next renewal says it.
    await this.attend(id, ATTENDED_FOR_MS).catch(() => this.renewIn(RETRY_MS));
    let isHere = true;
    return mayGoOn => {
      if (isHere) this.leave(id, mayGoOn, sent);
      isHere = false;
    };
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  private leave(id: string, mayGoOn: boolean, sent: string | undefined): void {
    const others = (this.callers.get(id) ?? 1) - 1;
    if (others > 0) {
      this.callers.set(id, others);
      return;
    }
    this.callers.delete(id);
    // Should it fail, nobody says any more that the job is attended, and a sweeper finds it.
    if (!this.isClosed && !mayGoOn) void this.abandon(id, sent).catch(() => {});
  }

  private async abandon(id: string, sent: string | undefined): Promise<void> {
    if ((await this.attend(id, this.graceMs, sent)) !== 'attended') return;
    await sleep(this.graceMs, undefined, { ref: false });
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      if (this.isClosed || this.callers.has(id)) return;
      const lane = await this.store.laneOf(id);
      const verdict = await cancelIn(lane, this.telemetry, id, { reason: CLIENT_DISCONNECTED }, true);
      // A caller may have come back to another process.
      if (verdict !== 'attended') return;
      await sleep(EARLY_MS, undefined, { ref: false });
    }
  }

  private async attend(id: string, forMs: number, left?: string): Promise<string> {
    const lane = await this.store.laneOf(id);
    return (await lane.run('attend', { id, by: this.token, for_ms: forMs, left })).reply;
  }

  private renewIn(delayMs: number): void {
    if (this.isClosed || (this.timer && delayMs === RENEW_MS)) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.renew().then(
        isDone => this.callers.size > 0 && this.renewIn(isDone ? RENEW_MS : RETRY_MS),
        () => this.renewIn(RETRY_MS),
      );
    }, delayMs).unref();
  }

  /** False if some lane did not answer. */
  private async renew(): Promise<boolean> {
    const ids = [...this.callers.keys()];
    const lanes = await this.store.lanesOf(ids);
    const byLane = Map.groupBy(ids, (_, position) => lanes[position] as Lane);
    const replies = await Promise.all(
      [...byLane].map(([lane, own]) =>
        lane
          .runMany(
            'attend',
            own.map(id => ({ given: { id, by: this.token, for_ms: ATTENDED_FOR_MS } })),
          )
          .catch((error: Error) => [error]),
      ),
    );
    return replies.flat().every(reply => !(reply instanceof Error));
  }
}
