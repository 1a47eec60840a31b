import type { Store } from '../shared/store/store.ts';

/** How often it is noted that the provider sends webhooks. */
const NOTED_EVERY_MS = 60_000;

export type Heard = 'noted' | 'again' | 'over' | 'stranger';

/** Takes hints of the provider that a response has ended, so that the next look at it comes at once. */
export class Hints {
  private readonly store: Store;
  private notedAt = Number.NEGATIVE_INFINITY;

  constructor(store: Store) {
    this.store = store;
  }

  /**
   * Takes a message that was verified. `again`: it came before. `over`: nothing is left to find out. `stranger`: no job is known
   * to have made the response, and a worker finds out whose it is. Throws if a lane does not answer: then it has to come again.
   */
  async take(responseId: string, messageId: string): Promise<Heard> {
    const given = { response_id: responseId, message_id: messageId };
    const lanes = await this.store.allLanes();
    const replies = await Promise.allSettled(lanes.map(lane => lane.run('hint', given)));
    for (const [position, reply] of replies.entries()) {
      if (reply.status === 'rejected' || reply.value.reply === 'unknown') continue;
      await lanes[position]?.outbox.carryOutQuietly(reply.value.work);
      void this.noteArrival().catch(() => {});
      return reply.value.reply;
    }
    // The lane that is away may know it.
    const away = replies.find(reply => reply.status === 'rejected');
    if (away) throw away.reason;
    const lane = await this.store.laneToMake(responseId);
    const { reply, work } = await lane.run('hint', { ...given, is_stranger: true });
    await lane.outbox.carryOutQuietly(work);
    return reply === 'again' ? 'again' : 'stranger';
  }

  /** Workers poll less while messages about their responses arrive. */
  private async noteArrival(): Promise<void> {
    const now = performance.now();
    if (now - this.notedAt < NOTED_EVERY_MS) return;
    const { home } = this.store;
    await home.ask(client => client.set(home.keys.webhooks(), '1', 'PX', WEBHOOKS_BELIEVED_MS));
    this.notedAt = now;
  }
}

/** Webhooks that were heard less than this ago are expected to go on. */
const WEBHOOKS_BELIEVED_MS = 3_600_000;
