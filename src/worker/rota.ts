import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { HeadstoneError } from '../shared/contract/errors.ts';
import { VERSION } from '../shared/runtime/version.ts';
import { within } from '../shared/runtime/within.ts';
import { errorCode } from '../shared/store/connection/store-errors.ts';
import type { Lane } from '../shared/store/lane.ts';
import {
  isDeserted,
  isServed,
  type Servant,
  SILENCE_MS,
  sayLeft,
  sayServed,
  servantsOf,
} from '../shared/store/lanes/servants.ts';
import type { QueueName } from '../shared/store/lua/work.ts';
import type { Store } from '../shared/store/store.ts';
import type { Context } from './context.ts';
import { LaneWorker } from './lane-worker.ts';
import { hasShare, ShareOut } from './share-out.ts';

const ROUND_MS = 1000;
const SHARE_RETRY_MS = 100;
/** How long a start waits for all of its lanes, once it serves one. */
const START_MS = 5000;
const LEAVE_MS = 1000;

export interface RotaParts {
  lanes: Store;
  context: Omit<Context, 'store'>;
  queues: QueueName[];
  /** The numbers of the lanes to serve; all of them if it is left out. */
  wanted: ReadonlySet<number> | undefined;
}

/**
 * Which lanes this process serves: its own ones, and as a guest those that no worker serves, until one of theirs comes back.
 * It also shares the caps out, and notices when the number of lanes is raised. No lane waits for another one that is away.
 */
export class Rota {
  private readonly parts: RotaParts;
  private readonly token = randomUUID();
  private readonly shareOut: ShareOut;
  private readonly served = new Map<Lane, LaneWorker>();
  /** What is done about a lane now. */
  private readonly looking = new Map<Lane, Promise<void>>();
  /** Since when each lane was seen without a worker. */
  private readonly unservedSince = new Map<Lane, number>();
  /** The lanes of which it was said that something failed. */
  private readonly failing = new Set<Lane>();
  private sharing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;

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
    this.timer = setInterval(() => this.turn(), ROUND_MS);
    const starts = own.map(lane => this.begin(lane, lanes));
    for (const start of starts) start.catch(() => {});
    // One that is away may come back later, and the rounds look after it.
    await Promise.any(starts).catch(async (failure: AggregateError) => {
      await this.stop();
      throw failure.errors[0];
    });
    await Promise.race([Promise.allSettled(starts), sleep(START_MS)]);
  }

  /** Ends the rounds. What is under way about a lane ends by itself, and begins nothing. */
  private async stop(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    await Promise.all([...this.looking.values(), this.sharing]);
  }

  /** Closes all lanes at once, so that none takes anything new while another one is away. */
  close(): { lane: Lane; closed: Promise<void> }[] {
    const stopped = this.stop();
    return this.workers.map(worker => ({
      lane: worker.lane,
      closed: Promise.all([worker.close(), stopped]).then(() => {}),
    }));
  }

  /** Tells the others that they need not wait for this process. */
  async leave(): Promise<void> {
    const left = [...this.served.keys()].map(lane => sayLeft(lane, this.servant(!this.isOwn(lane))));
    await within(LEAVE_MS, Promise.all([...left, this.shareOut.leave(this.parts.lanes.home)])).catch(() => {});
  }

  /**
   * Serves one of the own lanes once it has a share: without one it launches nothing, and nothing would limit its polls.
   * Whoever shares out gives it one within a round.
   */
  private async begin(lane: Lane, lanes: Lane[]): Promise<void> {
    if (lanes.length > 1)
      while (!this.isStopped && !(await hasShare(lane))) {
        this.share(lanes);
        await sleep(SHARE_RETRY_MS);
      }
    await this.serve(lane, false);
  }

  private turn(): void {
    const { lanes } = this.parts;
    // The next round goes by what is learned now.
    lanes.currentPlan().catch(() => {});
    this.share(lanes.lanes);
    for (const lane of lanes.lanes) this.lookAt(lane);
  }

  /** A round that fails is made up for by the next one. While a lane is away, the shares stay as they are. */
  private share(lanes: Lane[]): void {
    this.sharing ??= this.shareOut
      .divide(lanes)
      .catch(() => {})
      .finally(() => {
        this.sharing = undefined;
      });
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

  /** Serves a lane as a guest if its worker is silent, or if it has had none for a while: one that starts has not said so yet. */
  private async stepIn(lane: Lane, others: Servant[]): Promise<void> {
    const now = performance.now();
    if (isServed(others, this.parts.queues)) {
      this.unservedSince.delete(lane);
      return;
    }
    const since = this.unservedSince.get(lane) ?? now;
    this.unservedSince.set(lane, since);
    if (now - since < SILENCE_MS && !(await isDeserted(lane))) return;
    if (!(await hasShare(lane))) return;
    await this.serve(lane, true);
    this.parts.context.telemetry.emit('lane_taken_over', { lane: lane.number });
  }

  private async serve(lane: Lane, isGuest: boolean): Promise<void> {
    const known = this.served.get(lane);
    if (known) return await known.start();
    if (this.isStopped) return;
    const { context, queues } = this.parts;
    const worker = new LaneWorker({ ...context, store: lane }, queues);
    this.served.set(lane, worker);
    try {
      await worker.start();
    } catch (error) {
      this.served.delete(lane);
      await worker.close().catch(() => {});
      throw error;
    }
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
    return { token: this.token, isGuest, queues: this.parts.queues, version: VERSION };
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
