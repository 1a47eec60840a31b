import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLIENT_DISCONNECTED } from '../shared/contract/words.ts';
import type { Telemetry } from '../shared/runtime/telemetry.ts';
import type { Lane } from '../shared/store/lane.ts';
import { ATTENDED_FOR_MS } from '../shared/store/lua/attend.ts';
import type { Store } from '../shared/store/store.ts';
import { cancelIn } from './cancel.ts';

const RENEW_MS = ATTENDED_FOR_MS / 3;
/** After a renewal that failed. */
const RETRY_MS = 1000;
/** Redis' clock may be a little behind this process's timers. */
const EARLY_MS = 100;
const TRIES = 3;

/** The callers of one job in this process. */
interface Callers {
  count: number;
  /** What they sent; undefined if the request has a name. */
  sent: string | undefined;
}

/**
 * The callers of this process that wait for jobs. Once all callers of a job have gone, and none has come back within the grace,
 * the job is cancelled. What this process does not live to do, a worker's sweeper does. A job is attended from its enqueue on,
 * if that names this process.
 */
export class Attendance {
  /** The name of this process among those that attend. */
  readonly token = randomUUID();
  private readonly store: Store;
  private readonly telemetry: Telemetry;
  private readonly graceMs: number;
  private readonly callers = new Map<string, Callers>();
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(store: Store, telemetry: Telemetry, graceMs: number) {
    this.store = store;
    this.telemetry = telemetry;
    this.graceMs = graceMs;
  }

  /**
   * Notes a caller of a job that is about to be enqueued, or was. Call the function that it returns once the caller no longer
   * waits here: with false if it has gone, so that the job is to be cancelled.
   */
  enter(id: string, sent: string | undefined): (mayGoOn: boolean) => void {
    this.callers.set(id, { count: (this.callers.get(id)?.count ?? 0) + 1, sent });
    this.renewIn(RENEW_MS);
    let isHere = true;
    return mayGoOn => {
      if (isHere) this.leave(id, mayGoOn);
      isHere = false;
    };
  }

  /** Attends a job that was enqueued before, for somebody else. If this fails, the next renewal says it. */
  async join(id: string): Promise<void> {
    await this.attend(id, ATTENDED_FOR_MS, { sent: this.callers.get(id)?.sent }).catch(() => this.renewIn(RETRY_MS));
  }

  /** Lets a job go on without any caller. */
  async letGoOn(id: string): Promise<void> {
    await (await this.store.laneOf(id)).run('let_go_on', { id });
  }

  /** This process stops: whoever sends an equal request elsewhere takes the job over. */
  async handOver(): Promise<void> {
    const handing = [...this.callers].map(([id, { sent }]) =>
      this.attend(id, ATTENDED_FOR_MS, { sent, have_left: true }).catch(() => {}),
    );
    await Promise.all(handing);
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  private leave(id: string, mayGoOn: boolean): void {
    const { count = 1, sent } = this.callers.get(id) ?? {};
    if (count > 1) {
      this.callers.set(id, { count: count - 1, sent });
      return;
    }
    this.callers.delete(id);
    // Should it fail, nobody says any more that the job is attended, and a sweeper finds it.
    if (!this.isClosed && !mayGoOn) void this.abandon(id, sent).catch(() => {});
  }

  private async abandon(id: string, sent: string | undefined): Promise<void> {
    if ((await this.attend(id, this.graceMs, { sent, have_left: true })) !== 'attended') return;
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

  private async attend(
    id: string,
    forMs: number,
    about: { sent: string | undefined; have_left?: boolean },
  ): Promise<string> {
    const lane = await this.store.laneOf(id);
    return (await lane.run('attend', { id, by: this.token, for_ms: forMs, ...about })).reply;
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
    const known = [...this.callers.keys()];
    const lanes = await this.store.lanesOf(known);
    const byLane = Map.groupBy(known, (_, position) => lanes[position] as Lane);
    const replies = await Promise.all(
      [...byLane].map(([lane, own]) => {
        // Some have left meanwhile, and must not be spoken for.
        const ids = own.filter(id => this.callers.has(id));
        const calls = ids.map(id => ({ given: { id, by: this.token, for_ms: ATTENDED_FOR_MS } }));
        return lane.runMany('attend', calls).catch((error: Error) => [error]);
      }),
    );
    return replies.flat().every(reply => !(reply instanceof Error));
  }
}
