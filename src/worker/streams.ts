/** The streams that this process holds: each is a connection, so they have a limit of their own. */
export class Streams {
  readonly limit: number;
  private readonly reserved = new Set<string>();
  private readonly held = new Map<string, { controller: AbortController; ended: Promise<void> }>();

  constructor(limit: number) {
    this.limit = limit;
  }

  isFull(): boolean {
    return this.held.size + this.reserved.size >= this.limit;
  }

  /** A place for a stream that is about to begin; false where there is none. */
  reserve(id: string): boolean {
    if (this.isFull()) return false;
    this.reserved.add(id);
    return true;
  }

  unreserve(id: string): void {
    this.reserved.delete(id);
  }

  holds(id: string): boolean {
    return this.held.has(id);
  }

  /** Runs beside the queues, with a signal that `release(id)` aborts. */
  hold(id: string, work: (signal: AbortSignal) => Promise<void>): void {
    this.reserved.delete(id);
    const controller = new AbortController();
    const ended = work(controller.signal).finally(() => {
      if (this.held.get(id)?.controller === controller) this.held.delete(id);
    });
    this.held.set(id, { controller, ended });
    ended.catch(() => {});
  }

  /** The job was decided: nobody wants to hear more. */
  release(id: string): void {
    this.held.get(id)?.controller.abort();
  }

  /** Resolves when each has let go of its job. */
  async close(): Promise<void> {
    await Promise.all([...this.held.values()].map(({ ended }) => ended.catch(() => {})));
  }
}
