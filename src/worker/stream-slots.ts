/** The streams that this process follows. Each of them is a connection, so their number is limited. */
export class StreamSlots {
  readonly limit: number;
  private readonly reserved = new Set<string>();
  private readonly followed = new Map<string, { controller: AbortController; ended: Promise<void> }>();

  constructor(limit: number) {
    this.limit = limit;
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
    ended.catch(() => {});
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
