import {
  type BackendFactory,
  createRedisBackend,
  type JobJson,
  type Processor,
  Queue,
  type RedisQueueBackend,
  Worker,
  type WorkerOptions,
} from 'bullmq';
import type { Notify } from '../contract/request.ts';
import type { RedisClient } from './connection/client.ts';
import type { Doorbell } from './connection/doorbell.ts';
import type { Link } from './link.ts';
import { KEPT_LAUNCHES } from './lua/entry-part.ts';
import { DELAYED_SCORE_UNIT, ENTRY_PREFIX, type QueueEntry, type QueueName, queueNames } from './lua/work.ts';
import { type JobRecord, parseRecord } from './record.ts';
import type { ArgumentsOf, ReplyOf } from './scripts.ts';

const KEPT_NONE = { count: 0 };
/** BullMQ's own stream of events, of which nothing here takes any. */
const KEPT_EVENTS = 100;
const MOST_EVENTS = 'opts.maxLenEvents';

/** How soon a worker looks again whose look at its queue has failed. */
const RETRY_MS = 1000;

/** BullMQ's own backend, which waits on the shared connection and opens none of its own, and takes entries by our script. */
function ourBackend(doorbell: Doorbell, take: (lock: string) => Promise<Next>): BackendFactory<RedisQueueBackend> {
  return (name, options, shape) => {
    const backend = createRedisBackend(name, options, { ...shape, withBlockingConnection: false });
    const marker = backend.toKey('marker');
    backend.waitForJob = timeoutS => doorbell.wait(marker, timeoutS * 1000);
    backend.disconnectBlocking = () => doorbell.release(marker);
    backend.moveToActive = take;
    return backend;
  };
}

/** What BullMQ's worker is told when it asks for an entry: the entry, its id, and for how long or until when there is none. */
type Next = [entry: JobJson | null, id: string, limitedForMs: number, nextAt: number];

/** What a lane's queues need of it. */
interface QueueStore {
  run<Name extends 'take_entry' | 'take_launch' | 'park_entry'>(
    name: Name,
    given: ArgumentsOf<Name>,
  ): Promise<ReplyOf<Name>>;
}

/** The provider's ids are free text, and BullMQ refuses ids that have a colon or are only digits. */
function entryId(id: string): string {
  return `${ENTRY_PREFIX}${encodeURIComponent(id).replaceAll('.', '%2E')}`;
}

/** False for an entry that something else put into one of these queues. */
export function isOurEntry(entry: string | undefined): entry is string {
  return entry?.startsWith(ENTRY_PREFIX) ?? false;
}

export function idOfEntry(entry: string): string {
  return decodeURIComponent(entry.slice(ENTRY_PREFIX.length));
}

interface ConsumeOptions extends Omit<WorkerOptions, 'connection' | 'prefix'> {
  lockDuration: number;
}

/** What BullMQ tells a worker of an entry. Ours have nothing but their ids. */
const blank = {
  data: '{}',
  opts: {},
  progress: 0,
  attemptsMade: 0,
  attemptsStarted: 0,
  timestamp: 0,
  failedReason: '',
  returnvalue: 'null',
};

export interface Ensured {
  /** False if the entry is active at this moment. It may be about to end, so the outbox has to keep its line. */
  settled: boolean;
}

/** The four BullMQ queues. Their entries are a cache of the record, and only this class wakes them. */
export class Queues {
  readonly launch: Queue;
  readonly poll: Queue;
  readonly settle: Queue;
  readonly callback: Queue;

  /** What the workers of these queues wait on. */
  readonly doorbell: Doorbell;

  private readonly client: RedisClient;
  private readonly store: QueueStore;
  /** The records that came with entries, by the lock, until their activations ask for them. */
  private readonly records = new Map<string, { entry: string; record: Record<string, string> }>();

  constructor(link: Link, prefix: string, store: QueueStore) {
    const { client } = link;
    this.store = store;
    this.client = client;
    this.doorbell = link.doorbell(prefix);
    const open = (name: QueueName) => {
      const queue = new Queue(name, {
        connection: client,
        prefix,
        // The store checks the version itself and explains it better.
        skipVersionCheck: true,
        // `describe` writes it once the store was checked.
        skipMetasUpdate: true,
      });
      // The client reports outages. Without a listener an 'error' of the queue would end the process.
      queue.on('error', () => {});
      return queue;
    };
    this.launch = open('launch');
    this.poll = open('poll');
    this.settle = open('settle');
    this.callback = open('callback');
  }

  /** Tells BullMQ's scripts how many events to keep. Call it only once the store was checked, or it may write to database 0. */
  async describe(): Promise<void> {
    await Promise.all(
      this.all.map(async queue => {
        const meta = queue.toKey('meta');
        // A store that refuses writes is asked for none that it need not make.
        const kept = await this.client.hget(meta, MOST_EVENTS);
        if (Number(kept) !== KEPT_EVENTS) await this.client.hset(meta, MOST_EVENTS, KEPT_EVENTS);
      }),
    );
  }

  get all(): Queue[] {
    return queueNames.map(name => this[name]);
  }

  /**
   * Makes sure that a worker will take the entry at its time. BullMQ ignores an add whose id it still keeps, so a finished
   * entry is removed first and a delayed one is brought forward.
   */
  async ensure(entry: QueueEntry, now: number): Promise<Ensured> {
    const queue = this[entry.queue];
    const id = entryId(entry.id);
    const state = await queue.getJobState(id);
    if (state === 'active') return { settled: false };
    if (state === 'waiting' || state === 'prioritized') return { settled: true };
    if (state === 'delayed') {
      const dueAt = await this.dueAt(entry.queue, id);
      if (dueAt !== null && entry.dueAt < dueAt)
        await (await queue.getJob(id))?.changeDelay(Math.max(0, entry.dueAt - now));
      return { settled: true };
    }
    if (state !== 'unknown') await queue.remove(id);
    const { name, data, opts } = this.job(entry, now);
    await queue.add(name, data, opts);
    return { settled: true };
  }

  /** When an entry is due that waits for a time, in milliseconds since 1970; null for any other. */
  async dueAt(name: QueueName, entry: string): Promise<number | null> {
    const score = await this.client.zscore(this[name].toKey('delayed'), entry);
    return score === null ? null : Number(score) / DELAYED_SCORE_UNIT;
  }

  /** True if the entry waits, is parked or is active, so that a worker will take it. */
  async isKept(name: QueueName, id: string): Promise<boolean> {
    const state = await this[name].getJobState(entryId(id));
    return state !== 'unknown' && state !== 'completed' && state !== 'failed';
  }

  /** True while a worker has the entry, or had it less than a lock's time ago. */
  async isLocked(name: QueueName, id: string): Promise<boolean> {
    return (await this.client.exists(`${this[name].toKey(entryId(id))}:lock`)) === 1;
  }

  private job(entry: QueueEntry, now: number) {
    return {
      name: entry.queue,
      // Only the id, because a worker that lost its lock can still write an entry's data.
      data: { id: entry.id },
      opts: {
        jobId: entryId(entry.id),
        delay: Math.max(0, entry.dueAt - now),
        ...(entry.priority > 0 ? { priority: entry.priority } : {}),
      },
    };
  }

  /** Removes what BullMQ removes when it ends an entry itself: events that nobody takes, and finished launches that are too old. */
  async tidy(): Promise<void> {
    await Promise.all([
      ...this.all.map(queue => queue.trimEvents(KEPT_EVENTS)),
      this.launch.clean(KEPT_LAUNCHES.age * 1000, KEPT_LAUNCHES.count, 'completed'),
    ]);
  }

  /** Opens the BullMQ worker of one queue. It does not run yet. */
  consume(name: QueueName, process: Processor, options: ConsumeOptions): Worker {
    const { prefix } = this[name].opts;
    const kept = name === 'launch' ? KEPT_LAUNCHES : KEPT_NONE;
    const worker = new Worker(
      name,
      process,
      {
        ...options,
        removeOnComplete: kept,
        removeOnFail: kept,
        runRetryDelay: RETRY_MS,
        connection: this.client,
        prefix,
      },
      ourBackend(this.doorbell, lock => this.take(name, lock, options)),
    );
    // The client reports outages. Without a listener an 'error' of the worker would end the process.
    worker.on('error', () => {});
    return worker;
  }

  private async take(queue: QueueName, lock: string, { lockDuration, limiter }: ConsumeOptions): Promise<Next> {
    // BullMQ renews the lock by the time at which the entry was taken.
    const processedOn = Date.now();
    const given = { lock, lock_ms: lockDuration, most: limiter?.max, in_ms: limiter?.duration };
    const asked =
      queue === 'launch'
        ? this.store.run('take_launch', { ...given, queue })
        : this.store.run('take_entry', { ...given, queue });
    const reply = await asked.catch((cause: unknown) => {
      // Only after an error of the connection does BullMQ wait a moment before it asks again.
      throw new Error('Connection is closed.', { cause });
    });
    if (reply.reply === 'limited') return [null, '', reply.for_ms, 0];
    if (reply.reply === 'none') return [null, '', 0, reply.at ?? 0];
    const { entry: id, record, stalled = 0 } = reply;
    if (record) this.records.set(lock, { entry: id, record });
    return [{ ...blank, id, name: queue, processedOn, stalledCounter: stalled }, id, 0, 0];
  }

  /** The record that came with the entry that a worker has by this lock; null if none did. It is given out once. */
  recordTaken(lock: string, entry: string): JobRecord | null {
    const taken = this.records.get(lock);
    this.records.delete(lock);
    return taken?.entry === entry ? parseRecord(idOfEntry(entry), taken.record) : null;
  }

  /** Moves a worker's entry to its time, unless another worker has it. */
  async park(queue: QueueName, entry: string, lock: string, dueInMs: number): Promise<void> {
    await this.store.run('park_entry', { queue, entry, lock, due_in_ms: Math.ceil(dueInMs) });
  }

  /** Adds one job to the app's queue. BullMQ ignores it if it is there already. */
  async tellApp(
    { queue: name, name: jobName, prefix }: Notify,
    data: { id: string; status: string },
    { createdAt, now }: { createdAt: number; now: number },
  ): Promise<void> {
    // Neither option writes to the queue's own settings, which belong to the app.
    const queue = new Queue(name, { connection: this.client, prefix, skipVersionCheck: true, skipMetasUpdate: true });
    queue.on('error', () => {});
    try {
      const jobId = `headstone-${data.id}`;
      const earlier = await queue.getJob(jobId);
      // The app has finished the notification of an earlier job with this id, and BullMQ would ignore a new one.
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
