import { setTimeout as sleep } from 'node:timers/promises';
import { DelayedError, type Job, Worker } from 'bullmq';
import type { QueueName } from '../shared/store/lua/work.ts';
import { idOfEntry, isOurEntry } from '../shared/store/queues.ts';
import { errorCode, isConnectionError, refusalOf } from '../shared/store/store-errors.ts';
import { type Activation, type Context, done } from './context.ts';

export interface Consumer {
  name: QueueName;
  worker: Worker;
  /** Since it took its last entry. */
  idleMs(): number;
  isBusy(): boolean;
}

export interface ConsumerOptions {
  queue: QueueName;
  concurrency: number;
  /** Activations a second, in all pods together. */
  perSecond?: number;
  /** `waiting`: called where it only waits for a place, so that a crash meanwhile is none of this entry's. */
  activate(id: string, context: Context, waiting: () => Promise<void>): Promise<Activation>;
  /** Called instead of `activate` for an entry whose workers kept dying. */
  giveUp(id: string, context: Context): Promise<Activation>;
}

/** Crashes without progress in between, after which an entry is poison. */
const MOST_STALLS = 5;
const AFTER_ERROR_MS = 5000;
const RECONNECT_MS = 250;
/** BullMQ's own budget counts over a job's whole life; ours starts again with each progress. */
const NEVER = 1_000_000_000;

/** One queue's BullMQ worker: turns what an activation says into what BullMQ does. */
export function openConsumer(
  { queue, concurrency, perSecond, activate, giveUp }: ConsumerOptions,
  context: Context,
): Consumer {
  const { store, configuration } = context;

  async function run(job: Job): Promise<Activation> {
    if (!isOurEntry(job.id)) return done('not an entry of Headstone: nothing done');
    const id = idOfEntry(job.id);
    const stalls = job.stalledCounter ?? 0;
    if (stalls === 0) return await activate(id, context, async () => {});
    const place = store.keys.forgivenStalls();
    const field = `${queue}:${job.id}`;
    const forgive = async () => void (await store.client.hset(place, field, stalls));
    const forgiven = Number((await store.client.hget(place, field)) ?? 0);
    // An entry that was added anew counts from 0 again.
    const isPoison = stalls - Math.min(forgiven, stalls) >= MOST_STALLS;
    const activation = await (isPoison ? giveUp(id, context) : activate(id, context, forgive));
    if (activation.kind === 'done') await store.client.hdel(place, field);
    else await forgive();
    return activation;
  }

  let busy = 0;
  let lastTakenAt = performance.now();

  async function process(job: Job, token?: string): Promise<string> {
    busy += 1;
    try {
      return await take(job, token);
    } finally {
      busy -= 1;
      lastTakenAt = performance.now();
    }
  }

  async function take(job: Job, token: string | undefined): Promise<string> {
    let activation: Activation;
    try {
      activation = await run(job);
    } catch (error) {
      // The entry comes back: nothing is lost by an error, and the deadline ends what never succeeds (I5, I10).
      context.telemetry.emit('activation_failed', { queue, entry_id: job.id ?? '', error: errorCode(error) });
      activation = { kind: 'park', dueInMs: AFTER_ERROR_MS };
    }
    if (activation.kind === 'done') return activation.summary;
    // Everything is saved by now: BullMQ moves the entry last, and is told so by this error.
    await parkEntry(job, activation.dueInMs, token);
    throw new DelayedError();
  }

  /**
   * A connection that breaks here must not end the entry: BullMQ would take it for a failed job. Nor may a Redis that is
   * full: an entry that was not moved counts as a crash of its worker, and five of them as poison.
   */
  async function parkEntry(job: Job, dueInMs: number, token: string | undefined): Promise<void> {
    for (;;) {
      try {
        return await job.moveToDelayed(Date.now() + dueInMs, token);
      } catch (error) {
        // Done before, and only the answer was lost; or another worker has it by now. Either way it is looked after.
        if (!isConnectionError(error) && refusalOf(error) === null) return;
        if (context.stopping.aborted) throw error;
        await sleep(RECONNECT_MS, undefined, { signal: context.stopping }).catch(() => {});
      }
    }
  }

  const worker = new Worker(queue, process, {
    connection: store.client,
    prefix: store.keys.prefix,
    autorun: false,
    concurrency,
    lockDuration: configuration.lockMs,
    stalledInterval: configuration.lockMs / 2,
    maxStalledCount: NEVER,
    ...(perSecond === undefined ? {} : { limiter: { max: perSecond, duration: 1000 } }),
  });
  // The connection reports its outages itself, once each; without a listener BullMQ's would end the process.
  worker.on('error', () => {});
  return {
    name: queue,
    worker,
    idleMs: () => performance.now() - lastTakenAt,
    isBusy: () => busy > 0,
  };
}
