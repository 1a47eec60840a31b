/** Remembers a ring that came while nobody was listening. */
export class Bell {
  private rung = false;
  private wake: (() => void) | undefined;
  private timer: NodeJS.Timeout | undefined;

  ring(): void {
    this.rung = true;
    this.wake?.();
  }

  /** Resolves at the next ring, at one that has been, or when the time is over. */
  async heard(atMostMs: number): Promise<void> {
    if (!this.rung)
      await new Promise<void>(resolve => {
        this.wake = resolve;
        this.timer = setTimeout(resolve, atMostMs);
      });
    this.close();
    this.rung = false;
  }

  close(): void {
    clearTimeout(this.timer);
    this.wake = undefined;
  }
}
