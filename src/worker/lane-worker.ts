import type { QueueName } from '../shared/store/lua/work.ts';
import type { Consumer } from './consumer.ts';
import type { Context } from './context.ts';
import type { Sweeper } from './sweeper.ts';

/** What one process does for one lane: it takes from the lane's queues, sweeps it and hears its outcomes. */
export class LaneWorker {
  private readonly context: Context;
  private readonly queues: QueueName[];
  private consumers: Consumer[] = [];
  private sweeper: Sweeper | undefined;
  private stopListening: (() => void) | undefined;
  private started: Promise<void> | undefined;

  constructor(context: Context, queues: QueueName[]) {
    this.context = context;
    this.queues = queues;
  }

  get lane() {
    return this.context.store;
  }

  /** Resolves once entries are taken. */
  async start(): Promise<void> {
    this.started ??= this.begin();
    await this.started;
  }

  private async begin(): Promise<void> {
    const { store, inFlight, streams } = this.context;
    const { openConsumers, Sweeper } = await import('./activations.ts');
    await store.ready();
    this.stopListening = await store.decisions.listen(message => {
      // Messages may have been lost, so every job that this process works on reads its record again.
      if (message === null) inFlight.interruptAll();
      else {
        inFlight.interrupt(message.id);
        streams.interrupt(message.id);
      }
    });
    this.consumers = openConsumers(this.queues, this.context);
    await Promise.all([store.queues.doorbell.open(), ...this.consumers.map(({ worker }) => worker.waitUntilReady())]);
    for (const { worker } of this.consumers) void worker.run();
    this.sweeper = new Sweeper(this.context);
    this.sweeper.start();
  }

  /** Lets the lane use this part of the process' concurrency, at least one activation of each queue. */
  limit(share: number): void {
    const { concurrency } = this.context.configuration;
    // Messages to callbacks cost nothing but waiting, and a slow receiver must not have the only slot of a lane.
    for (const { name, worker } of this.consumers)
      worker.concurrency = name === 'callback' ? concurrency[name] : Math.max(1, Math.ceil(concurrency[name] * share));
  }

  /** Why it cannot take entries now: one of its queues is not connected. Null if it can. */
  obstacle(): string | null {
    const { isConnected } = this.lane.queues.doorbell;
    const idle = this.consumers.find(({ worker }) => !isConnected || !worker.isRunning());
    return idle ? `The worker takes nothing from the queue ${idle.name} now.` : null;
  }

  /** True if a queue has had entries waiting while this process has taken none of them for so long. */
  async isIdleBeside(waitingForMs: number): Promise<boolean> {
    const idle = this.consumers.filter(consumer => !consumer.isBusy() && consumer.idleMs() > waitingForMs);
    const waiting = await this.lane.ask(() =>
      Promise.all(
        idle.map(async ({ name }) => {
          const queue = this.lane.queues[name];
          return (await queue.isPaused()) ? 0 : await queue.getWaitingCount();
        }),
      ),
    );
    return waiting.some(count => count > 0);
  }

  stopHearing(): void {
    this.stopListening?.();
  }

  /** Takes nothing new, and resolves when what it works on is done. Streams that it follows go on. */
  async close(): Promise<void> {
    await this.started?.catch(() => {});
    this.stopHearing();
    await this.sweeper?.stop();
    await Promise.all(this.consumers.map(({ worker }) => worker.close()));
  }

  /** Lets go without waiting for anything, so that the locks expire. */
  disconnect(): void {
    for (const { worker } of this.consumers) void worker.disconnect().catch(() => {});
  }
}
