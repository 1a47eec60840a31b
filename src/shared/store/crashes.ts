import type { Lane } from './lane.ts';
import type { QueueName } from './lua/work.ts';

/**
 * How often a worker has begun with an entry that had stalled, and has not come to an end since. BullMQ's own count is of no
 * use for that: it is over an entry's whole life, and it counts an entry that no worker ever had, because the answer that
 * would have given it to one was lost.
 */
export class Crashes {
  private readonly store: Lane;

  constructor(store: Lane) {
    this.store = store;
  }

  /** Says that a worker begins with the entry. Returns how many have before and came to no end. */
  async begin(queue: QueueName, entry: string): Promise<number> {
    return (await this.store.ask(client => client.hincrby(this.place, `${queue}:${entry}`, 1))) - 1;
  }

  /** Says that its worker lives, whatever came of the entry. */
  async forgive(queue: QueueName, entry: string): Promise<void> {
    await this.store.ask(client => client.hdel(this.place, `${queue}:${entry}`));
  }

  private get place(): string {
    return this.store.keys.crashes();
  }
}
