import { HeadstoneError } from '../../contract/errors.ts';

const LOOK_AGAIN_MS = 1000;
/** A lane that takes longer than this for an answer counts as silent until it comes. */
const SLOW_MS = 500;

/**
 * Whether a lane answers. One that did not answer is avoided until it has: a new job that is placed in it to find out would be
 * refused, and its caller would have to ask again.
 */
export class Presence {
  private hasFailed = false;
  private lookedAt = 0;
  private readonly ask: () => Promise<unknown>;
  /** When each command was asked that has no answer yet, the oldest first. */
  private readonly waiting = new Set<{ since: number }>();

  /** `ask` sends the lane some command by way of `during`. */
  constructor(ask: () => Promise<unknown>) {
    this.ask = ask;
  }

  /** Watches a command to its end. */
  async during<Answer>(asked: Promise<Answer>): Promise<Answer> {
    const command = { since: performance.now() };
    this.waiting.add(command);
    try {
      const answer = await asked;
      this.hasFailed = false;
      return answer;
    } catch (error) {
      this.failed(error);
      throw error;
    } finally {
      this.waiting.delete(command);
    }
  }

  failed(error: unknown): void {
    if (error instanceof HeadstoneError && error.code === 'store_unreachable') this.hasFailed = true;
  }

  /** False from a command that failed, or waits too long, to the next one that is answered. Asks such a lane again now and then. */
  get isAnswering(): boolean {
    if (this.hasFailed) this.lookAgain();
    const [oldest] = this.waiting;
    return !this.hasFailed && (oldest === undefined || performance.now() - oldest.since < SLOW_MS);
  }

  private lookAgain(): void {
    const now = performance.now();
    if (now - this.lookedAt < LOOK_AGAIN_MS) return;
    this.lookedAt = now;
    this.ask().catch(() => {});
  }
}
