import { randomUUID } from 'node:crypto';
import { errorCode } from '../shared/store/connection/store-errors.ts';
import type { Lane } from '../shared/store/lane.ts';
import type { QueueName } from '../shared/store/lua/work.ts';
import { sayLeft, sayServed, servantsOf } from '../shared/store/servants.ts';
import type { Store } from '../shared/store/store.ts';
import type { Context } from './context.ts';
import { LaneWorker } from './lane-worker.ts';
import { ShareOut } from './share-out.ts';

const ROUND_MS = 1000;

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
  private timer: NodeJS.Timeout | undefined;
  private turning: Promise<void> = Promise.resolve();
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
    // Without a share a lane launches nothing, and nothing would limit its polls.
    await this.quietly(() => this.shareOut.divide(lanes));
    const own = lanes.filter(lane => this.isOwn(lane));
    const starts = await Promise.allSettled(own.map(lane => this.serve(lane, lanes.length)));
    const failed = starts.find(start => start.status === 'rejected');
    if (failed && this.served.size === 0) throw failed.reason;
    this.plan();
  }

  /** Ends the rounds. The lanes are still served. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.turning;
  }

  /** Tells the others that they need not wait for this process. */
  async leave(): Promise<void> {
    const left = [...this.served.keys()].map(lane => sayLeft(lane, this.token));
    await Promise.all([...left, this.shareOut.leave(this.parts.lanes.home)]).catch(() => {});
  }

  private plan(): void {
    this.timer = setTimeout(() => {
      this.turning = this.turn().then(() => {
        if (!this.isStopped) this.plan();
      });
    }, ROUND_MS);
  }

  private async turn(): Promise<void> {
    const lanes = await this.parts.lanes.allLanes().catch(() => this.parts.lanes.lanes);
    await this.quietly(() => this.shareOut.divide(lanes));
    await Promise.all(lanes.map(lane => this.quietly(() => this.look(lane, lanes.length))));
    for (const worker of this.served.values()) worker.limit(1 / lanes.length);
  }

  private async look(lane: Lane, count: number): Promise<void> {
    if (this.isOwn(lane)) {
      if (!this.served.has(lane)) await this.serve(lane, count);
      return await sayServed(lane, { token: this.token, isGuest: false });
    }
    const others = (await servantsOf(lane)).filter(({ token }) => token !== this.token);
    if (this.served.has(lane)) {
      if (others.some(({ isGuest }) => !isGuest)) await this.giveBack(lane);
      else await sayServed(lane, { token: this.token, isGuest: true });
    } else if (others.length === 0) {
      await this.serve(lane, count);
      await sayServed(lane, { token: this.token, isGuest: true });
      this.parts.context.telemetry.emit('lane_taken_over', { lane: lane.number });
    }
  }

  private async serve(lane: Lane, count: number): Promise<void> {
    const { context, queues } = this.parts;
    const worker = new LaneWorker({ ...context, store: lane }, queues);
    try {
      await worker.start(1 / count);
    } catch (error) {
      await worker.close().catch(() => {});
      throw error;
    }
    this.served.set(lane, worker);
  }

  private async giveBack(lane: Lane): Promise<void> {
    const worker = this.served.get(lane);
    this.served.delete(lane);
    await worker?.close();
    await sayLeft(lane, this.token);
    this.parts.context.telemetry.emit('lane_given_back', { lane: lane.number });
  }

  private isOwn({ number }: Lane): boolean {
    return this.parts.wanted?.has(number) ?? true;
  }

  /** A lane that is away does not keep the others waiting, and the next round looks at it again. */
  private async quietly(step: () => Promise<unknown>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (this.parts.lanes.lanes.length > 1)
        this.parts.context.telemetry.emit('activation_failed', {
          queue: 'lanes',
          entry_id: '',
          error: errorCode(error),
        });
    }
  }
}
