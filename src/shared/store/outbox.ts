import { HeadstoneError } from '../contract/errors.ts';
import type { Work } from './lua/work.ts';
import { notifyApp } from './notify.ts';
import type { Store } from './store.ts';

/** A note that the app's own queue refused is tried again so much later. */
const PUT_OFF_MS = 30_000;

/** Queue entries and notes that are due: written by the step that needs them, and kept until they were carried out (I5). */
export class Outbox {
  private readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  /**
   * Wakes the queue entries that a script asked for, then clears them from the outbox. What fails here is left to
   * the sweeper, so it is never an error of the call that caused it (I5).
   */
  async follow(work: Work[]): Promise<void> {
    let failure: unknown;
    let canTell = true;
    for (const entry of work) {
      try {
        if (entry.queue === 'notify' && !canTell) await this.putOff(entry);
        else if (await this.carryOut(entry)) await this.clear([entry]);
      } catch (error) {
        // One entry that cannot be added must not keep back the others.
        failure = error;
        // Nor stand before them: the app's own queue may refuse for as long as it likes (I10).
        if (entry.queue === 'notify') await this.putOff(entry).catch(() => {});
        // While replicas are missing, each would be waited for.
        if (error instanceof HeadstoneError && error.code === 'not_durable') canTell = false;
      }
    }
    if (failure !== undefined) throw failure;
  }

  /** True when the outbox need not remember it any more. */
  private async carryOut(entry: Work): Promise<boolean> {
    const { queue } = entry;
    if (queue !== 'notify') return (await this.store.queues.ensure({ ...entry, queue }, this.store.now())).settled;
    const record = await this.store.record(entry.id);
    if (record) await this.store.untilDurable(record);
    await notifyApp(this.store.queues, record, this.store.now());
    return true;
  }

  private async putOff(entry: Work): Promise<void> {
    await this.store.client.zadd(this.store.keys.outbox(), 'XX', this.store.now() + PUT_OFF_MS, entry.line);
  }

  async followQuietly(work: Work[]): Promise<void> {
    await this.follow(work).catch(() => {});
  }

  async clear(work: Work[]): Promise<void> {
    if (work.length > 0) await this.store.client.zrem(this.store.keys.outbox(), ...work.map(entry => entry.line));
  }
}
