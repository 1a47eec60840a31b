import { HeadstoneError } from '../contract/errors.ts';
import type { RedisClient } from './connection/client.ts';
import type { Keys } from './keys.ts';
import { readable, type Work } from './lua/work.ts';
import { notifyApp } from './notify.ts';
import type { Queues } from './queues.ts';
import type { JobRecord } from './record.ts';

/** How long a notification waits that the app's queue refused. */
const PUT_OFF_MS = 30_000;

/** How many lines are carried out at once, so that a backlog of thousands takes seconds. */
const AT_ONCE = 25;

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
    if (work.length === 0) return;
    let failure: unknown;
    let canTell = true;
    // What apps are told comes last, because their queues may be slow.
    const [entries, notices] = [work.filter(isEntry), work.filter(entry => !isEntry(entry))];
    for (const some of [...chunksOf(entries), ...chunksOf(notices)]) {
      const attempts = some.map(entry => (isEntry(entry) || canTell ? this.attempt(entry) : this.putOff(entry)));
      const settled = await Promise.allSettled(attempts);
      const isDone = (position: number) => settled[position]?.status === 'fulfilled' && settled[position].value;
      const left = some.filter((_, position) => settled[position]?.status === 'rejected');
      for (const one of settled) if (one.status === 'rejected') failure = one.reason;
      // While replicas are missing, each further notification would wait for them in vain.
      if (failure instanceof HeadstoneError && failure.code === 'not_durable') canTell = false;
      // The app's queue may refuse for as long as it likes, and must not keep the other entries waiting (I10).
      await Promise.allSettled(left.filter(entry => !isEntry(entry)).map(entry => this.putOff(entry)));
      await this.clear(some.filter((_, position) => isDone(position))).catch((error: unknown) => {
        failure = error;
      });
    }
    if (failure !== undefined) throw failure;
  }

  /** Does the same, and leaves what fails to the sweeper: it is no error of the call that caused it (I5). */
  async carryOutQuietly(work: Work[]): Promise<void> {
    if (work.length > 0) await this.carryOut(work).catch(() => {});
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

  /** Leaves the line for later; false, because it stays. */
  private async putOff(entry: Work): Promise<false> {
    const later = this.store.now() + PUT_OFF_MS;
    await this.store.ask(client => client.zadd(this.store.keys.outbox(), 'XX', later, entry.line));
    return false;
  }
}

const isEntry = ({ queue }: Work) => queue !== 'notify';

function chunksOf(work: Work[]): Work[][] {
  return Array.from({ length: Math.ceil(work.length / AT_ONCE) }, (_, n) => work.slice(n * AT_ONCE, (n + 1) * AT_ONCE));
}
