import { HeadstoneError } from '../contract/errors.ts';
import type { RedisClient } from './connection/client.ts';
import type { Keys } from './keys.ts';
import { readable, type Work } from './lua/work.ts';
import { notifyApp } from './notify.ts';
import type { Queues } from './queues.ts';
import type { JobRecord } from './record.ts';

/** How long a notification waits that the app's queue refused. */
const PUT_OFF_MS = 30_000;

/** What the outbox needs of the store. */
interface OutboxStore {
  readonly keys: Keys;
  readonly queues: Queues;
  now(): number;
  ask<Answer>(call: (client: RedisClient) => Promise<Answer>): Promise<Answer>;
  record(id: string): Promise<JobRecord | null>;
  untilDurable(job: JobRecord): Promise<void>;
}

/** Queue entries and notifications that are due. Scripts write them with the state that needs them; they stay until done (I5). */
export class Outbox {
  private readonly store: OutboxStore;

  constructor(store: OutboxStore) {
    this.store = store;
  }

  /** The lines that were written before a time and that their writers did not carry out. */
  async overdue(before: number, limit: number): Promise<Work[]> {
    const { keys } = this.store;
    const lines = await this.store.ask(client =>
      client.zrangebyscore(keys.outbox(), '-inf', before, 'LIMIT', 0, limit),
    );
    return lines.flatMap(readable);
  }

  /** Carries out what a script asked for and clears it from the outbox. Throws the last failure, after trying every entry. */
  async carryOut(work: Work[]): Promise<void> {
    let failure: unknown;
    let canTell = true;
    for (const entry of work) {
      try {
        if (entry.queue === 'notify' && !canTell) await this.putOff(entry);
        else if (await this.attempt(entry)) await this.clear([entry]);
      } catch (error) {
        failure = error;
        // The app's queue may refuse for as long as it likes, and must not keep the other entries waiting (I10).
        if (entry.queue === 'notify') await this.putOff(entry).catch(() => {});
        // While replicas are missing, each further notification would wait for them in vain.
        if (error instanceof HeadstoneError && error.code === 'not_durable') canTell = false;
      }
    }
    if (failure !== undefined) throw failure;
  }

  /** Does the same, and leaves what fails to the sweeper: it is no error of the call that caused it (I5). */
  async carryOutQuietly(work: Work[]): Promise<void> {
    await this.carryOut(work).catch(() => {});
  }

  async clear(work: Work[]): Promise<void> {
    if (work.length === 0) return;
    await this.store.ask(client => client.zrem(this.store.keys.outbox(), ...work.map(entry => entry.line)));
  }

  /** True if the outbox need not remember the entry any longer. */
  private async attempt(entry: Work): Promise<boolean> {
    const { queue } = entry;
    if (queue !== 'notify') return (await this.store.queues.ensure({ ...entry, queue }, this.store.now())).settled;
    const record = await this.store.record(entry.id);
    if (record) await this.store.untilDurable(record);
    await notifyApp(this.store.queues, record, this.store.now());
    return true;
  }

  private async putOff(entry: Work): Promise<void> {
    const later = this.store.now() + PUT_OFF_MS;
    await this.store.ask(client => client.zadd(this.store.keys.outbox(), 'XX', later, entry.line));
  }
}
