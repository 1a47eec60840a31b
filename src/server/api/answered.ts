import type { Store } from '../../shared/store/store.ts';

/** As the contract has it: for so long the same body from the same key may be the same create, sent again. */
export const RESEND_WINDOW_MS = 600_000;

const MOST_REMEMBERED = 10_000;

/**
 * Notes who asks for a job by its id: they have had the answer to its create, so a re-send of an equal body is another
 * request. Only a hint: without it two equal requests may share a job, as the contract has it.
 */
export class Answered {
  private readonly store: Store;
  /** A poll loop asks a thousand times, and is noted once. */
  private readonly noted = new Set<string>();

  constructor(store: Store) {
    this.store = store;
  }

  note(id: string): void {
    if (this.noted.has(id)) return;
    if (this.noted.size >= MOST_REMEMBERED) this.noted.clear();
    this.noted.add(id);
    void this.store.client.set(this.store.keys.answered(id), '1', 'PX', RESEND_WINDOW_MS).catch(() => {});
  }
}
