import { setTimeout as sleep } from 'node:timers/promises';
import { DelayedError, type Job, type Worker } from 'bullmq';
import { HeadstoneError } from '../shared/contract/errors.ts';
import { errorCode } from '../shared/store/connection/store-errors.ts';
import { Crashes } from '../shared/store/crashes.ts';
import type { QueueName } from '../shared/store/lua/work.ts';
import { idOfEntry, isOurEntry } from '../shared/store/queues.ts';
import { type Activation, type Context, done, type Taken } from './context.ts';

export interface Consumer {
  name: QueueName;
  worker: Worker;
  /** Milliseconds since it last took an entry. */
  idleMs(): number;
  isBusy(): boolean;
}

export interface ConsumerOptions {
  queue: QueueName;
  concurrency: number;
  /** The most activations a second, in all pods together. */
  perSecond?: number;
  /** Handles one entry. */
  activate(id: string, context: Context, taken: Taken): Promise<Activation>;
  /** Handles an entry whose workers kept dying. */
  giveUp(id: string, context: Context): Promise<Activation>;
}

/** After this many workers in a row that died over it, an entry is poison. */
const MOST_CRASHES = 5;
const AFTER_ERROR_MS = 5000;
const RECONNECT_MS = 250;
/** Tells BullMQ that the entry is no longer active. One for all, because most of what an error costs is its stack. */
const moved = new DelayedError();
/** BullMQ's own limit counts over a job's whole life, so it is turned off. */
const NEVER = 1_000_000_000;

/** Opens one queue's BullMQ worker and turns what an activation returns into what BullMQ does. */
export function openConsumer(
  { queue, concurrency, perSecond, activate, giveUp }: ConsumerOptions,
  context: Context,
): Consumer {
  const { store, configuration } = context;
  const crashes = new Crashes(store);

  async function run(job: Job, token: string): Promise<Activation> {
    const entry = job.id;
    if (!isOurEntry(entry)) return done('not an entry of Headstone: nothing done');
    const id = idOfEntry(entry);
    const record = store.queues.recordTaken(token, entry) ?? undefined;
    if ((job.stalledCounter ?? 0) === 0)
      return await activate(id, context, { lock: token, record, waiting: async () => {} });
    const forgive = () => crashes.forgive(queue, entry);
    // A full store cannot count, and takes what the entry is about all the same.
    const isPoison = (await crashes.begin(queue, entry).catch(() => 0)) >= MOST_CRASHES;
    try {
      return await (isPoison ? giveUp(id, context) : activate(id, context, { record, waiting: forgive }));
    } finally {
      // If it cannot be said, the next one who begins counts this as a crash.
      await forgive().catch(() => {});
    }
  }

  let busy = 0;
  let lastTakenAt = performance.now();

  async function process(job: Job, token = ''): Promise<string> {
    busy += 1;
    try {
      return await take(job, token);
    } finally {
      busy -= 1;
      lastTakenAt = performance.now();
    }
  }

  async function take(job: Job, token: string): Promise<string> {
    let activation: Activation;
    try {
      activation = await run(job, token);
    } catch (error) {
      // The entry comes back, so an error loses nothing, and the deadline ends a job that never succeeds (I5, I10).
      context.telemetry.emit('activation_failed', { queue, entry_id: job.id ?? '', error: errorCode(error) });
      activation = { kind: 'park', dueInMs: AFTER_ERROR_MS };
    }
    if (activation.kind === 'done') return activation.summary;
    // Everything was saved before the entry is moved.
    if (activation.kind === 'park') await parkEntry(job, activation.dueInMs, token);
    throw moved;
  }

  /**
   * Moves the entry to its time. A connection that breaks here must not end it, because BullMQ would take it for a failed job.
   * Neither must a full Redis: an entry that was not moved counts as a crash of its worker, and five of them as poison.
   */
  async function parkEntry(job: Job, dueInMs: number, token: string): Promise<void> {
    for (;;) {
      try {
        return await store.queues.park(queue, job.id ?? '', token, dueInMs);
      } catch (error) {
        // An error would end the entry once the store is back. Without one its lock runs out, and another worker takes it (I5).
        if (context.stopping.aborted || !(error instanceof HeadstoneError && error.retryable)) return;
        await sleep(RECONNECT_MS, undefined, { signal: context.stopping }).catch(() => {});
      }
    }
  }

  const worker = store.queues.consume(queue, process, {
    autorun: false,
    concurrency,
    lockDuration: configuration.lockMs,
    stalledInterval: configuration.lockMs / 2,
    maxStalledCount: NEVER,
    ...(perSecond === undefined ? {} : { limiter: { max: perSecond, duration: 1000 } }),
  });
  return {
    name: queue,
    worker,
    idleMs: () => performance.now() - lastTakenAt,
    isBusy: () => busy > 0,
  };
}
