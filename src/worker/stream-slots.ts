/**
 * Streams last long, so a slot is not asked for often, and the less often the longer a job has waited: with ten thousand in the
 * queue, asking is some hundred calls a second and not five thousand (I9).
 */
const RETRY_MS = 2000;
const MOST_RETRY_MS = 20_000;
const RETRY_SHARE = 0.1;

/** When a job that found no slot asks again. */
export function slotRetryMs(waitedMs: number): number {
  return Math.min(Math.max(RETRY_MS, waitedMs * RETRY_SHARE), MOST_RETRY_MS) * (0.5 + Math.random());
}

/** The streams that this process follows. Each of them is a connection, so their number is limited. */
export class StreamSlots {
  readonly limit: number;
  private readonly onFailure: (error: unknown) => void;
  private readonly reserved = new Set<string>();
  private readonly followed = new Map<string, { controller: AbortController; ended: Promise<void> }>();

  /** `onFailure` hears of work that ended in an error. The sweeper finds its stream without a follower. */
  constructor(limit: number, onFailure: (error: unknown) => void) {
    this.limit = limit;
    this.onFailure = onFailure;
  }

  isFull(): boolean {
    return this.followed.size + this.reserved.size >= this.limit;
  }

  /** Reserves a slot for a stream that is about to begin. False if none is free. */
  reserve(id: string): boolean {
    if (this.isFull()) return false;
    this.reserved.add(id);
    return true;
  }

  unreserve(id: string): void {
    this.reserved.delete(id);
  }

  isFollowed(id: string): boolean {
    return this.followed.has(id);
  }

  /** Runs the work beside the queues, with a signal that `interrupt(id)` aborts. */
  follow(id: string, work: (signal: AbortSignal) => Promise<void>): void {
    this.reserved.delete(id);
    const controller = new AbortController();
    const ended = work(controller.signal).finally(() => {
      if (this.followed.get(id)?.controller === controller) this.followed.delete(id);
    });
    this.followed.set(id, { controller, ended });
    ended.catch(this.onFailure);
  }

  /** The job was decided, so nobody wants more of its stream. */
  interrupt(id: string): void {
    this.followed.get(id)?.controller.abort();
  }

  /** Resolves when every stream has been let go of. */
  async close(): Promise<void> {
    await Promise.all([...this.followed.values()].map(({ ended }) => ended.catch(() => {})));
  }
}
