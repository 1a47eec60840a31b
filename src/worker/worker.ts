import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientOptions, OpenAI } from 'openai';
import { type Depths, obstaclesIn } from '../shared/contract/depths.ts';
import { HeadstoneError } from '../shared/contract/errors.ts';
import { readDeployment } from '../shared/store/deployment.ts';
import { readDepths } from '../shared/store/depths.ts';
import type { QueueName } from '../shared/store/lua/work.ts';
import type { Consumer } from './consumer.ts';
import type { Context } from './context.ts';
import { InFlight } from './in-flight.ts';
import { StreamSlots } from './stream-slots.ts';
import type { Sweeper } from './sweeper.ts';

const LONGEST_IDLE_MS = 30_000;
const SUSPICION_MS = 2000;

/** How long a worker that has to stop waits for a store that is away. */
const HOPELESS_MS = 3000;
const HOPELESS_CHECK_MS = 250;

export interface WorkerParts extends Pick<Context, 'store' | 'configuration' | 'telemetry'> {
  openai: ClientOptions | OpenAI;
  queues: QueueName[];
}

/** Runs the queues in this process. Any number of workers may run side by side. */
export class Worker {
  private readonly parts: WorkerParts;
  private readonly stopping = new AbortController();
  private readonly hopeless = new AbortController();
  private readonly inFlight = new InFlight();
  private readonly streams: StreamSlots;
  private consumers: Consumer[] = [];
  private sweeper: Sweeper | undefined;
  private stopListening: (() => void) | undefined;
  private closing: Promise<void> | undefined;
  private suspectSince: number | undefined;

  constructor(parts: WorkerParts) {
    this.parts = parts;
    this.streams = new StreamSlots(parts.configuration.concurrency.stream);
  }

  /** Resolves once the worker takes entries. Throws `configuration`, `store_unreachable`, `store_refused` or `store_unsuitable`. */
  async start(): Promise<void> {
    const { store, openai, configuration, telemetry, queues } = this.parts;
    const { openConsumers, openProvider, Sweeper } = await import('./activations.ts');
    const upstream = await openProvider(openai, configuration.launchTimeoutMs);
    await store.ready();
    const { inFlight } = this;
    const context: Context = {
      store,
      upstream,
      configuration,
      telemetry,
      inFlight,
      streams: this.streams,
      deployment: await readDeployment(store),
      stopping: this.stopping.signal,
      hopeless: this.hopeless.signal,
    };
    this.stopListening = await store.decisions.listen(message => {
      // Messages may have been lost, so every job that this process works on reads its record again.
      if (message === null) inFlight.interruptAll();
      else {
        inFlight.interrupt(message.id);
        this.streams.interrupt(message.id);
      }
    });
    this.stopping.signal.addEventListener('abort', () => inFlight.interruptAll());
    this.consumers = openConsumers(queues, context);
    await Promise.all(this.consumers.map(({ worker }) => worker.waitUntilReady()));
    for (const { worker } of this.consumers) void worker.run();
    this.sweeper = new Sweeper(context);
    this.sweeper.start();
    telemetry.emit('process_ready', { process: 'worker' });
  }

  /** How much waits where. */
  async depths(): Promise<Depths> {
    return await readDepths(this.parts.store);
  }

  /** What hinders it, in sentences. Throws while it cannot take work: the store takes no write, or a queue is not connected. */
  async ready(): Promise<string[]> {
    const depths = await this.depths();
    for (const { name, worker } of this.consumers) {
      const blocking = await worker.backend.blockingClient;
      if (blocking?.status !== 'ready' || !worker.isRunning())
        throw new HeadstoneError('store_unreachable', `The worker takes nothing from the queue ${name} now.`);
    }
    return obstaclesIn(depths);
  }

  /**
   * False if a queue has entries waiting and this worker has taken none of them for 30 s. Public reports
   * describe BullMQ workers that were alive and idle for hours.
   */
  async isLively(): Promise<boolean> {
    const { store } = this.parts;
    // A restart does not bring the store back, and this process may have an id that it still has to write.
    if (!store.isConnected) return true;
    const idle = this.consumers.filter(consumer => !consumer.isBusy() && consumer.idleMs() > LONGEST_IDLE_MS);
    const waiting = await store.ask(() =>
      Promise.all(
        idle.map(async ({ name }) => {
          const queue = store.queues[name];
          return (await queue.isPaused()) ? 0 : await queue.getWaitingCount();
        }),
      ),
    );
    if (waiting.every(count => count === 0)) this.suspectSince = undefined;
    else this.suspectSince ??= performance.now();
    // One look proves nothing, because an entry may have been added just now. The state has to last.
    return this.suspectSince === undefined || performance.now() - this.suspectSince < SUSPICION_MS;
  }

  /** Takes nothing new, finishes what it works on, and resolves. It waits for creates that are under way. */
  close(): Promise<void> {
    this.closing ??= this.shut();
    return this.closing;
  }

  private async shut(): Promise<void> {
    const { store, telemetry } = this.parts;
    telemetry.emit('process_stopping', { process: 'worker' });
    this.stopping.abort();
    this.stopListening?.();
    const drained = new AbortController();
    const draining = this.drain().finally(() => drained.abort());
    draining.catch(() => {});
    await this.untilDrainedOrHopeless(drained.signal);
    if (!drained.signal.aborted) {
      // Every write that is still insisted on ends, and its caller logs what is lost.
      this.hopeless.abort(new HeadstoneError('store_unreachable', 'The worker had to end while the store was away.'));
      await Promise.race([draining, sleep(HOPELESS_CHECK_MS)]);
      // Nothing can be handed back any more, so the connections are cut and the locks expire.
      store.disconnect();
      for (const { worker } of this.consumers) void worker.disconnect().catch(() => {});
    }
    // Closing BullMQ's queues waits for a store that is away.
    await Promise.race([store.close(), sleep(HOPELESS_CHECK_MS)]);
    telemetry.emit('process_stopped', { process: 'worker', orderly: drained.signal.aborted });
  }

  private async drain(): Promise<void> {
    await this.sweeper?.stop();
    await Promise.all(this.consumers.map(({ worker }) => worker.close()));
    // Streams come last: a create that was waited for may have begun one, which has to be handed on too.
    await this.streams.close();
  }

  /** Waiting is hopeless once the store has been away for a while and no create is under way, or the slowest create is over. */
  private async untilDrainedOrHopeless(drained: AbortSignal): Promise<void> {
    const { store, configuration } = this.parts;
    let latest = performance.now() + configuration.launchTimeoutMs + HOPELESS_MS;
    let awaySince: number | undefined;
    while (!drained.aborted && performance.now() < latest) {
      await sleep(HOPELESS_CHECK_MS, undefined, { signal: drained }).catch(() => {});
      // A streamed create may have no id for minutes, and the id has to be written when it comes.
      if (this.inFlight.hasStreamedCreate) latest = Math.max(latest, performance.now() + HOPELESS_MS);
      if (store.isConnected || this.inFlight.hasCreate) awaySince = undefined;
      else awaySince ??= performance.now();
      if (awaySince !== undefined && performance.now() - awaySince > HOPELESS_MS) return;
    }
  }
}
