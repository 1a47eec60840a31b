import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisClient } from './client.ts';
import { openNodeConnection } from './node-connection.ts';
import { patientDuplicate } from './patience.ts';
import { untilReady } from './suitable.ts';

/** BullMQ's marker: a sorted set with one member while a queue has something to take, or will have at the time of its score. */
export interface Marker {
  member: string;
  score: number;
}

interface Waiter {
  answer(marker: Marker | null): void;
  timer: NodeJS.Timeout;
}

/** How long one read blocks. BullMQ found that longer ones are lost when a connection is replaced. */
const LONGEST_READ_S = 10;
/** A queue whose marker was taken asks for its next one this soon, and then one read is enough for all queues. */
const PAUSE_MS = 5;
/** A marker that nobody here waits for goes back after this long, because another worker may wait for it. */
const KEEP_MS = 20;
const RETRY_MS = 250;
const BELL_KEPT_MS = 60_000;

/**
 * Waits for the markers of many queues by one blocking read on one connection, where each of BullMQ's workers would hold a
 * connection of its own (docs/decisions/0026). All of the queues have to be on one server.
 */
export class Doorbell {
  private readonly client: RedisClient;
  /** A key that only this process writes to, to end its own read when another queue has to be waited for too. */
  private readonly bell: string;
  private readonly waiters = new Map<string, Waiter>();
  /** Markers that came while nobody waited. */
  private readonly early = new Map<string, Marker>();
  /** The queues that the read under way waits for. */
  private readonly heard = new Set<string>();
  /** The queues whose worker is closing. */
  private readonly released = new Set<string>();
  /** One read, and what is done with its answer. */
  private round: Promise<void> = Promise.resolve();
  private connection: RedisClient | undefined;
  private opening: Promise<void> | undefined;
  private isReading = false;
  /** True while the read under way is about to end. It may still bring a marker of any queue that it began with. */
  private isInterrupted = false;
  private isClosed = false;
  private resume = () => {};

  /** `prefix`: of one of the queues, so that the bell is where they are. */
  constructor(client: RedisClient, prefix: string) {
    this.client = client;
    this.bell = `${prefix}:bell:${randomUUID()}`;
  }

  /** The marker of a queue as soon as it has one; null after the time. */
  async wait(queue: string, timeoutMs: number): Promise<Marker | null> {
    const early = this.early.get(queue);
    if (early) {
      this.early.delete(queue);
      return early;
    }
    const { promise, resolve } = Promise.withResolvers<Marker | null>();
    const answer = (marker: Marker | null) => {
      clearTimeout(timer);
      this.waiters.delete(queue);
      resolve(marker);
    };
    const timer = setTimeout(() => answer(null), timeoutMs);
    this.waiters.set(queue, { answer, timer });
    this.released.delete(queue);
    this.resume();
    if (!this.isReading) void this.read();
    else if (this.heard.size > 0 && !this.heard.has(queue)) this.interrupt();
    return await promise;
  }

  /** Ends a wait early. Once it resolves, no marker of the queue comes to this process any more: another worker may need it. */
  async release(queue: string): Promise<void> {
    this.released.add(queue);
    this.waiters.get(queue)?.answer(null);
    if (this.heard.has(queue)) this.interrupt();
    if (!this.isInterrupted) return;
    await this.round.catch(() => {});
  }

  /** False while the connection is away. */
  get isConnected(): boolean {
    return this.connection?.status === 'ready';
  }

  close(): void {
    this.isClosed = true;
    for (const { answer } of [...this.waiters.values()]) answer(null);
    this.connection?.disconnect();
  }

  private async read(): Promise<void> {
    this.isReading = true;
    while (this.waiters.size > 0 && !this.isClosed) {
      try {
        this.round = this.readOnce();
        await this.round;
      } catch {
        // The waiters end by their own times meanwhile, and BullMQ looks for itself.
        this.connection?.disconnect();
        this.connection = undefined;
        if (!this.isClosed) await sleep(RETRY_MS);
      } finally {
        this.isInterrupted = false;
        this.heard.clear();
      }
    }
    this.isReading = false;
  }

  /** Resolves once it is connected. */
  async open(): Promise<void> {
    this.connection ??= openNodeConnection(this.client, this.bell, patientDuplicate);
    // All lanes of a worker ask at once.
    this.opening ??= untilReady(this.connection).finally(() => {
      this.opening = undefined;
    });
    await this.opening;
  }

  private async readOnce(): Promise<void> {
    await this.open();
    for (const queue of this.waiters.keys()) this.heard.add(queue);
    const popped = await this.connection?.bzpopmin(...this.heard, this.bell, LONGEST_READ_S);
    if (popped && popped[0] !== this.bell) await this.deliver(popped);
  }

  private async deliver([queue, member, score]: [string, string, string]): Promise<void> {
    const marker = { member, score: Number(score) };
    const waiter = this.waiters.get(queue);
    if (waiter) waiter.answer(marker);
    else if (this.released.has(queue)) await this.giveBack(queue, marker);
    else this.keep(queue, marker);
    this.heard.clear();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.resume = resolve;
    await Promise.race([promise, sleep(PAUSE_MS)]);
  }

  private keep(queue: string, marker: Marker): void {
    this.early.set(queue, marker);
    setTimeout(() => {
      if (this.early.get(queue) !== marker) return;
      this.early.delete(queue);
      void this.giveBack(queue, marker);
    }, KEEP_MS).unref();
  }

  private async giveBack(queue: string, { score, member }: Marker): Promise<void> {
    // A marker for an earlier time may have been set meanwhile. If this one cannot be given back now, the other workers look by themselves within ten seconds.
    await this.client.zadd(queue, 'LT', score, member).catch(() => {});
  }

  /** Begins the read anew, with the queues that are waited for now. */
  private interrupt(): void {
    this.isInterrupted = true;
    this.heard.clear();
    const bell = this.client.pipeline().zadd(this.bell, 0, '0').pexpire(this.bell, BELL_KEPT_MS).exec();
    bell
      .then(answers => {
        const [error] = answers?.find(([failure]) => failure) ?? [];
        if (error) throw error;
      })
      // A full Redis does not take the bell, but a new connection ends the read as well.
      .catch(() => this.connection?.disconnect(true));
  }
}
