import { DelayedError, type Job, Worker } from 'bullmq';
import type { QueueName } from '../shared/store/lua/work.ts';
import { idOfEntry } from '../shared/store/queues.ts';
import { errorCode } from '../shared/store/redis.ts';
import type { Activation, Context } from './context.ts';

export type Consumer = Worker;

export interface ConsumerOptions {
  queue: QueueName;
  concurrency: number;
  /** Activations a second, in all pods together. */
  perSecond?: number;
  activate(id: string, context: Context): Promise<Activation>;
  /** Called instead of `activate` for an entry whose workers kept dying. */
  giveUp(id: string, context: Context): Promise<Activation>;
}

/** Crashes without progress in between, after which an entry is poison. */
const MOST_STALLS = 5;
const AFTER_ERROR_MS = 5000;
/** BullMQ's own budget counts over a job's whole life; ours starts again with each progress. */
const NEVER = 1_000_000_000;

/** One queue's BullMQ worker: turns what an activation says into what BullMQ does. */
export function openConsumer(
  { queue, concurrency, perSecond, activate, giveUp }: ConsumerOptions,
  context: Context,
): Consumer {
  const { store, configuration } = context;

  async function run(job: Job): Promise<Activation> {
    const id = idOfEntry(job.id ?? '');
    const stalls = job.stalledCounter ?? 0;
    if (stalls === 0) return await activate(id, context);
    const forgiven = (await store.record(id))?.forgiven_stalls ?? 0;
    if (stalls - forgiven >= MOST_STALLS) return await giveUp(id, context);
    const activation = await activate(id, context);
    await store.run('forgive', { id, stalls });
    return activation;
  }

  async function process(job: Job, token?: string): Promise<string> {
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
    await job.moveToDelayed(Date.now() + activation.dueInMs, token);
    throw new DelayedError();
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
  return worker;
}
