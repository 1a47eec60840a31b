import type { Lane } from './lane.ts';
import type { QueueName } from './lua/work.ts';

/**
 * How many of an entry's stalls were followed by progress. BullMQ counts the crashes of an entry's workers over its whole
 * life. This count starts again whenever the entry makes progress.
 */
export class Stalls {
  private readonly store: Lane;

  constructor(store: Lane) {
    this.store = store;
  }

  /** The stalls since the entry last got on. BullMQ counts an entry that was added anew from 0 again. */
  async unforgiven(queue: QueueName, entry: string, stalls: number): Promise<number> {
    const forgiven = await this.store.ask(client => client.hget(this.place, `${queue}:${entry}`));
    return stalls - Math.min(Number(forgiven ?? 0), stalls);
  }

  async forgive(queue: QueueName, entry: string, stalls: number): Promise<void> {
    await this.store.ask(client => client.hset(this.place, `${queue}:${entry}`, stalls));
  }

  async forget(queue: QueueName, entry: string): Promise<void> {
    await this.store.ask(client => client.hdel(this.place, `${queue}:${entry}`));
  }

  private get place(): string {
    return this.store.keys.forgivenStalls();
  }
}
