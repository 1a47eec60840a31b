/** Wakes a waiter. It remembers a ring that came while nobody waited. */
export class Bell {
  private rung = false;
  private wake: (() => void) | undefined;
  private timer: NodeJS.Timeout | undefined;

  ring(): void {
    this.rung = true;
    this.wake?.();
  }

  /** Resolves at the next ring, at once if it has rung, or after the time. */
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
