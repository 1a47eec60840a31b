import { Queue } from 'bullmq';
import type { Notify } from '../contract/request.ts';
import { ENTRY_PREFIX, type QueueName, queueNames, type Work } from './lua/work.ts';
import type { RedisClient } from './redis-client.ts';

/** Finished launch entries stay a while for people to look at; the others leave at once, so that they can be woken. */
const KEPT_LAUNCHES = { count: 1000, age: 3600 };
const KEPT_EVENTS = 1000;

/** BullMQ's score of a delayed entry is its time in milliseconds times this, plus a counter. */
export const DELAYED_SCORE_UNIT = 0x1000;

/** The provider's ids are free text; BullMQ refuses a colon, and an integer as it is. */
export function entryId(id: string): string {
  return `${ENTRY_PREFIX}${encodeURIComponent(id).replaceAll('.', '%2E')}`;
}

/** False for what somebody else put into a queue of ours. */
export function isOurEntry(entry: string | undefined): entry is string {
  return entry?.startsWith(ENTRY_PREFIX) ?? false;
}

export function idOfEntry(entry: string): string {
  return decodeURIComponent(entry.slice(ENTRY_PREFIX.length));
}

/** An entry of one of our own queues. */
export type QueueEntry = Work & { queue: QueueName };

export interface Ensured {
  /** False where the entry is active at this moment: it may be about to end, so the outbox line must stay. */
  settled: boolean;
}

/** The three BullMQ queues. Their entries are a cache of the record, and are woken only here. */
export class Queues {
  readonly launch: Queue;
  readonly poll: Queue;
  readonly settle: Queue;

  private readonly client: RedisClient;

  constructor(client: RedisClient, prefix: string) {
    this.client = client;
    const open = (name: QueueName) => {
      const queue = new Queue(name, {
        connection: client,
        prefix,
        defaultJobOptions: {
          removeOnComplete: name === 'launch' ? KEPT_LAUNCHES : { count: 0 },
          removeOnFail: name === 'launch' ? KEPT_LAUNCHES : { count: 0 },
        },
        // We check ourselves, and with better words.
        skipVersionCheck: true,
        // Written by `describe`, once it is sure that the store is the right one.
        skipMetasUpdate: true,
      });
      // The client reports its outages itself; a Queue would otherwise end the process with an unhandled 'error'.
      queue.on('error', () => {});
      return queue;
    };
    this.launch = open('launch');
    this.poll = open('poll');
    this.settle = open('settle');
  }

  /** Tells BullMQ's scripts how many events to keep. Only once the store was checked: an index that is not there is database 0. */
  async describe(): Promise<void> {
    await Promise.all(this.all.map(queue => this.client.hset(queue.toKey('meta'), 'opts.maxLenEvents', KEPT_EVENTS)));
  }

  get all(): Queue[] {
    return queueNames.map(name => this[name]);
  }

  /** Adds entries that cannot exist yet, in one round trip a queue. */
  async addFresh(work: Work[], now: number): Promise<void> {
    for (const name of queueNames) {
      const entries = work.filter((entry): entry is QueueEntry => entry.queue === name);
      if (entries.length > 0) await this[name].addBulk(entries.map(entry => this.job(entry, now)));
    }
  }

  /**
   * Makes sure that the entry will be taken at its time. BullMQ ignores an add whose id it still keeps, so a finished
   * leftover is removed first and a delayed one is brought forward.
   */
  async ensure(entry: QueueEntry, now: number): Promise<Ensured> {
    const queue = this[entry.queue];
    const id = entryId(entry.id);
    const state = await queue.getJobState(id);
    if (state === 'active') return { settled: false };
    if (state === 'waiting' || state === 'prioritized') return { settled: true };
    if (state === 'delayed') {
      const score = await this.client.zscore(queue.toKey('delayed'), id);
      if (score !== null && entry.dueAt < Number(score) / DELAYED_SCORE_UNIT)
        await (await queue.getJob(id))?.changeDelay(Math.max(0, entry.dueAt - now));
      return { settled: true };
    }
    if (state !== 'unknown') await queue.remove(id);
    const { name, data, opts } = this.job(entry, now);
    await queue.add(name, data, opts);
    return { settled: true };
  }

  /** True where the entry will be taken by itself: it waits, is parked, or is at work. */
  async isKept(name: QueueName, id: string): Promise<boolean> {
    const state = await this[name].getJobState(entryId(id));
    return state !== 'unknown' && state !== 'completed' && state !== 'failed';
  }

  /** True while a worker holds the entry, or held it less than a lock's time ago. */
  async isLocked(name: QueueName, id: string): Promise<boolean> {
    return (await this.client.exists(`${this[name].toKey(entryId(id))}:lock`)) === 1;
  }

  private job(entry: QueueEntry, now: number) {
    return {
      name: entry.queue,
      // No truth in here: an entry's data can be written by a worker that lost its lock.
      data: { id: entry.id },
      opts: {
        jobId: entryId(entry.id),
        delay: Math.max(0, entry.dueAt - now),
        ...(entry.priority > 0 ? { priority: entry.priority } : {}),
      },
    };
  }

  /** Adds one job to a queue of the app's own; BullMQ ignores it where it is there already. */
  async tellApp(
    { queue: name, name: jobName, prefix }: Notify,
    data: { id: string; status: string },
    { createdAt, now }: { createdAt: number; now: number },
  ): Promise<void> {
    // What the queue is like is the app's to say.
    const queue = new Queue(name, { connection: this.client, prefix, skipVersionCheck: true, skipMetasUpdate: true });
    queue.on('error', () => {});
    try {
      const jobId = `headstone-${data.id}`;
      const earlier = await queue.getJob(jobId);
      // Of an earlier job that had this id: the app has worked through it, and BullMQ would ignore ours.
      if (earlier && earlier.timestamp < createdAt && (earlier.finishedOn ?? 0) > 0) await queue.remove(jobId);
      await queue.add(jobName, data, { jobId, timestamp: now });
    } finally {
      await queue.close();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map(queue => queue.close()));
  }
}
