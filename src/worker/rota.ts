import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { HeadstoneError } from '../shared/contract/errors.ts';
import { errorCode } from '../shared/store/connection/store-errors.ts';
import type { Lane } from '../shared/store/lane.ts';
import type { QueueName } from '../shared/store/lua/work.ts';
import { isServed, type Servant, SILENCE_MS, sayLeft, sayServed, servantsOf } from '../shared/store/servants.ts';
import type { Store } from '../shared/store/store.ts';
import type { Context } from './context.ts';
import { LaneWorker } from './lane-worker.ts';
import { hasShare, ShareOut } from './share-out.ts';

const ROUND_MS = 1000;
const SHARE_RETRY_MS = 100;

export interface RotaParts {
  lanes: Store;
  context: Omit<Context, 'store'>;
  queues: QueueName[];
  /** The numbers of the lanes to serve; all of them if it is left out. */
  wanted: ReadonlySet<number> | undefined;
}

/**
 * Which lanes this process serves: its own ones, and as a guest those that no worker serves, until one of theirs comes back.
 * It also shares the caps out, and notices when the number of lanes is raised.
 */
export class Rota {
  private readonly parts: RotaParts;
  private readonly token = randomUUID();
  private readonly shareOut: ShareOut;
  private readonly served = new Map<Lane, LaneWorker>();
  /** What is done about a lane now. A lane that is away takes long, and the others do not wait for it. */
  private readonly looking = new Map<Lane, Promise<void>>();
  /** Since when each lane was seen without a worker. */
  private readonly unservedSince = new Map<Lane, number>();
  /** The lanes of which it was said that something failed. */
  private readonly failing = new Set<Lane>();
  private sharing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(parts: RotaParts) {
    this.parts = parts;
    this.shareOut = new ShareOut(this.token, parts.context.configuration);
  }

  get workers(): LaneWorker[] {
    return [...this.served.values()];
  }

  /** Resolves once the process takes entries. Throws if it can serve none of its lanes. */
  async start(): Promise<void> {
    const lanes = await this.parts.lanes.allLanes();
    const own = lanes.filter(lane => this.isOwn(lane));
    if (lanes.length > 1) await this.untilShared(lanes, own);
    const starts = await Promise.allSettled(own.map(lane => this.serve(lane, false)));
    const failed = starts.find(start => start.status === 'rejected');
    if (failed && this.served.size === 0) throw failed.reason;
    this.timer = setInterval(() => void this.turn(), ROUND_MS);
  }

  /** Ends the rounds. The lanes are still served. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all([...this.looking.values(), this.sharing]);
  }

  /** Tells the others that they need not wait for this process. */
  async leave(): Promise<void> {
    const left = [...this.served.keys()].map(lane => sayLeft(lane, this.servant(!this.isOwn(lane))));
    await Promise.all([...left, this.shareOut.leave(this.parts.lanes.home)]).catch(() => {});
  }

  /** Without a share a lane launches nothing, and nothing would limit its polls. Whoever shares out gives it one within a round. */
  private async untilShared(lanes: Lane[], own: Lane[]): Promise<void> {
    const latest = performance.now() + SILENCE_MS;
    for (;;) {
      await this.shareOut.divide(lanes).catch(() => {});
      const shares = await Promise.all(own.map(lane => hasShare(lane).catch(() => true)));
      if (!shares.includes(false) || performance.now() > latest) return;
      await sleep(SHARE_RETRY_MS);
    }
  }

  private async turn(): Promise<void> {
    const lanes = await this.parts.lanes.allLanes().catch(() => this.parts.lanes.lanes);
    // A round that fails is made up for by the next one. While a lane is away, the shares stay as they are.
    this.sharing ??= this.shareOut
      .divide(lanes)
      .catch(() => {})
      .finally(() => {
        this.sharing = undefined;
      });
    for (const lane of lanes) this.lookAt(lane);
  }

  private lookAt(lane: Lane): void {
    if (this.looking.has(lane)) return;
    const look = this.look(lane)
      .then(() => void this.failing.delete(lane))
      .catch((error: unknown) => this.sayFailing(lane, error))
      .finally(() => this.looking.delete(lane));
    this.looking.set(lane, look);
  }

  private async look(lane: Lane): Promise<void> {
    if (this.isOwn(lane)) {
      if (this.served.has(lane)) await sayServed(lane, this.servant(false));
      else if (await hasShare(lane)) await this.serve(lane, false);
      return;
    }
    const others = (await servantsOf(lane)).filter(({ token }) => token !== this.token);
    if (!this.served.has(lane)) await this.stepIn(lane, others);
    else if (
      isServed(
        others.filter(({ isGuest }) => !isGuest),
        this.parts.queues,
      )
    )
      await this.giveBack(lane);
    else await sayServed(lane, this.servant(true));
  }

  /** Serves a lane as a guest if it has had no worker for a while: one that starts has not said yet that it serves it. */
  private async stepIn(lane: Lane, others: Servant[]): Promise<void> {
    const now = performance.now();
    if (isServed(others, this.parts.queues)) {
      this.unservedSince.delete(lane);
      return;
    }
    const since = this.unservedSince.get(lane) ?? now;
    this.unservedSince.set(lane, since);
    if (now - since < SILENCE_MS || !(await hasShare(lane))) return;
    await this.serve(lane, true);
    this.parts.context.telemetry.emit('lane_taken_over', { lane: lane.number });
  }

  private async serve(lane: Lane, isGuest: boolean): Promise<void> {
    const { context, queues } = this.parts;
    const worker = new LaneWorker({ ...context, store: lane }, queues);
    try {
      await worker.start();
    } catch (error) {
      await worker.close().catch(() => {});
      throw error;
    }
    this.served.set(lane, worker);
    this.limitAll();
    await sayServed(lane, this.servant(isGuest));
  }

  private async giveBack(lane: Lane): Promise<void> {
    const worker = this.served.get(lane);
    this.served.delete(lane);
    this.unservedSince.delete(lane);
    this.limitAll();
    await worker?.close();
    await sayLeft(lane, this.servant(true));
    this.parts.context.telemetry.emit('lane_given_back', { lane: lane.number });
  }

  /** Divides the process' concurrency among the lanes that it serves. */
  private limitAll(): void {
    for (const worker of this.workers) worker.limit(1 / this.served.size);
  }

  private isOwn({ number }: Lane): boolean {
    return this.parts.wanted?.has(number) ?? true;
  }

  private servant(isGuest: boolean): Servant {
    return { token: this.token, isGuest, queues: this.parts.queues };
  }

  /** Says once that a lane is away. The connection says so itself where all lanes are on one server. */
  private sayFailing(lane: Lane, error: unknown): void {
    const isOnlyOne = this.parts.lanes.lanes.length === 1;
    if (isOnlyOne || this.failing.has(lane)) return;
    this.failing.add(lane);
    const why = error instanceof HeadstoneError ? error.message : errorCode(error);
    this.parts.context.telemetry.emit('lane_away', { lane: lane.number, error: why });
  }
}
