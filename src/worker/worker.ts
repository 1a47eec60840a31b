import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientOptions, OpenAI } from 'openai';
import { type Depths, obstaclesIn } from '../shared/contract/depths.ts';
import { HeadstoneError } from '../shared/contract/errors.ts';
import { within } from '../shared/runtime/within.ts';
import { errorCode } from '../shared/store/connection/store-errors.ts';
import { readDeployment } from '../shared/store/deployment.ts';
import { readDepths } from '../shared/store/depths.ts';
import { followTraces } from '../shared/store/follow-traces.ts';
import type { Lane } from '../shared/store/lane.ts';
import type { QueueName } from '../shared/store/lua/work.ts';
import type { Store } from '../shared/store/store.ts';
import type { Context } from './context.ts';
import { InFlight } from './in-flight.ts';
import { Pace } from './pace.ts';
import { Refusals } from './refusals.ts';
import { Rota } from './rota.ts';
import { StreamSlots } from './stream-slots.ts';

const LONGEST_IDLE_MS = 30_000;
const SUSPICION_MS = 2000;

/** How long a worker that has to stop waits for a store that is away. */
const HOPELESS_MS = 3000;
const HOPELESS_CHECK_MS = 250;
const ANSWER_MS = 1000;

export interface WorkerParts extends Pick<Context, 'configuration' | 'telemetry'> {
  store: Store;
  openai: ClientOptions | OpenAI;
  queues: QueueName[];
  /** The numbers of the lanes to serve; all of them if it is left out. */
  lanes?: ReadonlySet<number> | undefined;
}

/** Runs the queues in this process. Any number of workers may run side by side. */
export class Worker {
  private readonly parts: WorkerParts;
  private readonly stopping = new AbortController();
  private readonly hopeless = new AbortController();
  private readonly inFlight = new InFlight();
  private readonly streams: StreamSlots;
  private rota: Rota | undefined;
  private closing: Promise<void> | undefined;
  private suspectSince: number | undefined;
  /** True once nothing is left but lanes whose node was away when this worker was asked to stop. */
  private waitsOnlyForLostLanes = false;

  constructor(parts: WorkerParts) {
    this.parts = parts;
    this.streams = new StreamSlots(parts.configuration.concurrency.stream, error =>
      parts.telemetry.emit('activation_failed', { queue: 'stream', entry_id: '', error: errorCode(error) }),
    );
  }

  /** Resolves once the worker takes entries. Throws `configuration`, `store_unreachable`, `store_refused` or `store_unsuitable`. */
  async start(): Promise<void> {
    const { store, openai, configuration, telemetry, queues, lanes: wanted } = this.parts;
    const { openProvider } = await import('./activations.ts');
    const upstream = await openProvider(openai, configuration.launchTimeoutMs);
    await store.ready();
    assertLanes(wanted, store);
    const context = {
      lanes: store,
      upstream,
      configuration,
      telemetry,
      inFlight: this.inFlight,
      streams: this.streams,
      refusals: new Refusals(telemetry),
      pace: new Pace(store, configuration),
      deployment: await readDeployment(store.home),
      stopping: this.stopping.signal,
      hopeless: this.hopeless.signal,
    };
    followTraces(store, telemetry, configuration.openaiBaseUrl);
    await context.pace.ask();
    this.stopping.signal.addEventListener('abort', () => this.inFlight.interruptAll());
    this.rota = new Rota({ lanes: store, context, queues, wanted });
    await this.rota.start();
    telemetry.emit('process_ready', { process: 'worker' });
  }

  /** How much waits where. */
  async depths(): Promise<Depths> {
    return await readDepths(this.parts.store);
  }

  /** What hinders it, in sentences. Throws while it cannot take work: the store takes no write, or a queue is not connected. */
  async ready(): Promise<string[]> {
    const depths = await this.depths();
    const workers = this.rota?.workers ?? [];
    const obstacles = workers.map(worker => worker.obstacle());
    // Lanes that are away are named by what the depths say. The process is of use while it takes from one.
    if (workers.length > 0 && !obstacles.includes(null))
      throw new HeadstoneError('store_unreachable', obstacles[0] ?? '');
    return obstaclesIn(depths);
  }

  /**
   * False if a queue has entries waiting and this worker has taken none of them for 30 s. Public reports
   * describe BullMQ workers that were alive and idle for hours.
   */
  async isLively(): Promise<boolean> {
    // A restart does not bring the store back, and this process may have an id that it still has to write.
    if (!this.parts.store.isConnected) return true;
    const workers = this.rota?.workers ?? [];
    const suspicions = await Promise.all(workers.map(worker => worker.isIdleBeside(LONGEST_IDLE_MS)));
    if (!suspicions.includes(true)) this.suspectSince = undefined;
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
    for (const worker of this.rota?.workers ?? []) worker.stopHearing();
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
      for (const worker of this.rota?.workers ?? []) worker.disconnect();
    }
    // Closing BullMQ's queues waits for a store that is away.
    await Promise.race([store.close(), sleep(HOPELESS_CHECK_MS)]);
    telemetry.emit('process_stopped', { process: 'worker', orderly: drained.signal.aborted });
  }

  private async drain(): Promise<void> {
    const { rota } = this;
    const closings = rota?.close() ?? [];
    // Alone, a lane that is slow to answer is worth the whole wait.
    const answering = await Promise.all(
      closings.map(({ lane }) => (closings.length > 1 ? doesAnswer(lane) : lane.isConnected)),
    );
    await Promise.all(closings.filter((_, number) => answering[number]).map(({ closed }) => closed));
    // Streams come after them: a create that was waited for may have begun one, which has to be handed on too.
    await this.streams.close();
    await rota?.leave();
    this.waitsOnlyForLostLanes = true;
    await Promise.all(closings.map(({ closed }) => closed));
  }

  /**
   * Waiting is hopeless once the store, or all that is left of it to wait for, has been away for a while and no create is under
   * way, or once the slowest create is over.
   */
  private async untilDrainedOrHopeless(drained: AbortSignal): Promise<void> {
    const { store, configuration } = this.parts;
    let latest = performance.now() + configuration.launchTimeoutMs + HOPELESS_MS;
    let awaySince: number | undefined;
    while (!drained.aborted && performance.now() < latest) {
      await sleep(HOPELESS_CHECK_MS, undefined, { signal: drained }).catch(() => {});
      // A streamed create may have no id for minutes, and the id has to be written when it comes.
      if (this.inFlight.hasStreamedCreate) latest = Math.max(latest, performance.now() + HOPELESS_MS);
      const isAway = !store.isConnected || this.waitsOnlyForLostLanes;
      if (!isAway || this.inFlight.hasCreate) awaySince = undefined;
      else awaySince ??= performance.now();
      if (awaySince !== undefined && performance.now() - awaySince > HOPELESS_MS) return;
    }
  }
}

/** A node that died a while ago looks like one that was never asked, so it is asked. */
async function doesAnswer(lane: Lane): Promise<boolean> {
  if (!lane.isConnected) return false;
  return await within(ANSWER_MS, lane.readClock()).then(
    () => true,
    () => false,
  );
}

function assertLanes(wanted: ReadonlySet<number> | undefined, { lanes }: Store): void {
  if (wanted?.size === 0)
    throw new HeadstoneError('configuration', 'lanes names no lane. Leave it out, and the worker serves all of them.');
  const missing = [...(wanted ?? [])].find(number => number >= lanes.length);
  if (missing !== undefined)
    throw new HeadstoneError(
      'configuration',
      `There is no lane ${missing}. This deployment has ${lanes.length === 1 ? 'one lane, 0' : `the lanes 0 to ${lanes.length - 1}`}.`,
    );
}
