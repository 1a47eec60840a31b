/** The jobs that this process holds right now: it waits for a slot or for an answer of the upstream. */
export class Holding {
  private readonly controllers = new Map<string, AbortController>();

  /** Runs the work with a signal that `release(id)` aborts. */
  async hold<Result>(id: string, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const controller = new AbortController();
    this.controllers.set(id, controller);
    try {
      return await work(controller.signal);
    } finally {
      if (this.controllers.get(id) === controller) this.controllers.delete(id);
    }
  }

  /** The job was decided: whatever waits for it stops waiting and reads the record. */
  release(id: string): void {
    this.controllers.get(id)?.abort();
  }

  releaseAll(): void {
    for (const controller of this.controllers.values()) controller.abort();
  }
}
