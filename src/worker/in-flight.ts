/** One reason for all, because a signal makes an exception with a stack for each abort without a reason. */
const interrupted = new DOMException('Nobody waits for this any longer.', 'AbortError');

/** The jobs that this process is working on: each waits for a free slot or for an answer of the provider. */
export class InFlight {
  private readonly controllers = new Map<string, AbortController>();
  private creates = 0;
  private streamedCreates = 0;

  /** Runs the work with a signal that `interrupt(id)` aborts. */
  async track<Result>(id: string, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const controller = new AbortController();
    this.controllers.set(id, controller);
    try {
      return await work(controller.signal);
    } finally {
      if (this.controllers.get(id) === controller) this.controllers.delete(id);
    }
  }

  /** Counts a create until its answer has come. */
  async awaitCreate<Answer>(create: () => Promise<Answer>, isStream: boolean): Promise<Answer> {
    this.creates += 1;
    if (isStream) this.streamedCreates += 1;
    try {
      return await create();
    } finally {
      this.creates -= 1;
      if (isStream) this.streamedCreates -= 1;
    }
  }

  /** True while a create has no answer. A process that ended now would lose the response's id. */
  get hasCreate(): boolean {
    return this.creates > 0;
  }

  /** True while one of them is streamed: its id may take minutes. */
  get hasStreamedCreate(): boolean {
    return this.streamedCreates > 0;
  }

  /** The job was decided, so whatever waits for it stops waiting and reads the record. */
  interrupt(id: string): void {
    this.controllers.get(id)?.abort(interrupted);
  }

  interruptAll(): void {
    for (const controller of this.controllers.values()) controller.abort(interrupted);
  }
}
