import type { Store } from '../../shared/store/store.ts';

/** How long the same body from the same key may be the same create, sent again. */
export const RESEND_WINDOW_MS = 600_000;

const MOST_REMEMBERED = 10_000;

/**
 * Notes that a caller asks for a job by its id. The caller has received the answer to its create, so an equal body that comes
 * later is another request. This is a hint: without it two equal requests may share a job.
 */
export class Answered {
  private readonly store: Store;
  /** A client that polls asks a thousand times and is noted once. */
  private readonly noted = new Set<string>();

  constructor(store: Store) {
    this.store = store;
  }

  note(id: string): void {
    if (this.noted.has(id)) return;
    if (this.noted.size >= MOST_REMEMBERED) this.noted.clear();
    this.noted.add(id);
    void this.write(id).catch(() => {});
  }

  private async write(id: string): Promise<void> {
    const lane = await this.store.laneOf(id);
    await lane.ask(client => client.set(lane.keys.answered(id), '1', 'PX', RESEND_WINDOW_MS));
  }
}
