import { HeadstoneError } from '../contract/errors.ts';
import type { RedisClient } from './redis.ts';

const LONGEST_WAIT_MS = 1000;
const CALL_MS = 5000;

/** A write that comes after everything that was written and read before it. A full Redis takes it: a cancel needs it (I1). */
const mark = "#!lua flags=allow-oom\nreturn redis.call('INCR', KEYS[1])";

/**
 * Whether enough replicas hold what was written or read. Redis' WAIT keeps its connection from everything else for up to a
 * second, so it has one of its own, and whoever asks meanwhile shares the next answer.
 */
export class Replicas {
  private readonly client: RedisClient;
  private readonly needed: number;
  private readonly markKey: string;
  private connection: RedisClient | undefined;
  private current: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;

  constructor(client: RedisClient, needed: number, markKey: string) {
    this.client = client;
    this.needed = needed;
    this.markKey = markKey;
  }

  /** For everything before this call. Throws `not_durable` when too few hold it. */
  async confirm(): Promise<void> {
    if (this.needed === 0) return;
    // The round that is under way may have set its mark before what we speak of.
    this.next ??= this.current
      .catch(() => {})
      .then(() => {
        this.current = this.round();
        this.next = undefined;
        return this.current;
      });
    await this.next;
  }

  close(): void {
    this.connection?.disconnect();
  }

  private async round(): Promise<void> {
    this.connection ??= this.open();
    await this.connection.eval(mark, 1, this.markKey);
    const holding = await this.connection.wait(this.needed, LONGEST_WAIT_MS);
    if (holding < this.needed)
      throw new HeadstoneError(
        'not_durable',
        `Written, but only ${holding} of ${this.needed} replicas hold it: ask again, and look after the replicas (HEADSTONE_WAIT_REPLICAS).`,
      );
  }

  private open(): RedisClient {
    const connection = this.client.duplicate({ enableOfflineQueue: true, commandTimeout: CALL_MS });
    // The store's own connection reports outages.
    connection.on('error', () => {});
    return connection;
  }
}
