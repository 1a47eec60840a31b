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

  /** Creates whose answer has not come: a process that ends now would lose their ids. */
  creates = 0;

  /** Of these, streams, which may be without an id for minutes. */
  streamCreates = 0;

  async awaitCreate<Answer>(create: () => Promise<Answer>, isStream = false): Promise<Answer> {
    this.creates += 1;
    if (isStream) this.streamCreates += 1;
    try {
      return await create();
    } finally {
      this.creates -= 1;
      if (isStream) this.streamCreates -= 1;
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
