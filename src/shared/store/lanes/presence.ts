import { HeadstoneError } from '../../contract/errors.ts';

const LOOK_AGAIN_MS = 1000;

/**
 * Whether a lane answers. One that did not answer is avoided until it has: a new job that is placed in it to find out would be
 * refused, and its caller would have to ask again.
 */
export class Presence {
  private isSilent = false;
  private lookedAt = 0;
  private readonly ask: () => Promise<unknown>;

  /** `ask` sends the lane some command, and tells its end to `answered` or `failed`. */
  constructor(ask: () => Promise<unknown>) {
    this.ask = ask;
  }

  answered(): void {
    this.isSilent = false;
  }

  failed(error: unknown): void {
    if (error instanceof HeadstoneError && error.code === 'store_unreachable') this.isSilent = true;
  }

  /** False from a failed command to the next one that is answered. Asks a silent lane again now and then. */
  get isAnswering(): boolean {
    if (this.isSilent) this.lookAgain();
    return !this.isSilent;
  }

  private lookAgain(): void {
    const now = performance.now();
    if (now - this.lookedAt < LOOK_AGAIN_MS) return;
    this.lookedAt = now;
    this.ask().catch(() => {});
  }
}
