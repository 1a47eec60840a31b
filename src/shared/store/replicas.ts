import { HeadstoneError } from '../contract/errors.ts';
import type { JobStatus } from '../contract/words.ts';
import type { Keys } from './keys.ts';
import { type RedisClient, untilReady } from './redis.ts';

const LONGEST_WAIT_MS = 1000;
const CALL_MS = 5000;

/** A job that was written or read as this. */
export interface Claim {
  id: string;
  status: JobStatus;
}

/**
 * Reads the jobs, and writes a mark behind everything that was read. A full Redis takes it: a cancel needs it (I1).
 * KEYS: the mark, then jobs.
 */
const readAndMark = `#!lua flags=allow-oom
local statuses = {}
for position = 2, #KEYS do statuses[position - 1] = redis.call('HGET', KEYS[position], 'status') end
redis.call('INCR', KEYS[1])
return statuses`;

/**
 * Whether enough replicas hold what was written or read. Redis' WAIT keeps its connection from everything else for up to a
 * second, so it has one of its own, and whoever asks meanwhile shares the next answer. That connection may have met another
 * server than the write did, one that was promoted without it: so it is asked what it holds itself.
 */
export class Replicas {
  private readonly client: RedisClient;
  private readonly needed: number;
  private readonly keys: Keys;
  private connection: RedisClient | undefined;
  private current: Promise<unknown> = Promise.resolve();
  private next: { claims: Claim[]; statuses: Promise<Map<string, unknown>> } | undefined;

  constructor(client: RedisClient, needed: number, keys: Keys) {
    this.client = client;
    this.needed = needed;
    this.keys = keys;
  }

  /** Throws `not_durable` when too few hold it. */
  async confirm(claims: Claim[]): Promise<void> {
    if (this.needed === 0 || claims.length === 0) return;
    // The round that is under way may have set its mark before what we speak of.
    this.next ??= this.plan();
    this.next.claims.push(...claims);
    const statuses = await this.next.statuses;
    if (claims.some(({ id, status }) => statuses.get(id) !== status))
      throw new HeadstoneError(
        'not_durable',
        'The store was replaced by one that does not hold what was written: ask again.',
      );
  }

  close(): void {
    this.connection?.disconnect();
  }

  private plan(): NonNullable<Replicas['next']> {
    const claims: Claim[] = [];
    const statuses = this.current
      .catch(() => {})
      .then(() => {
        this.next = undefined;
        return this.round([...new Set(claims.map(({ id }) => id))]);
      });
    this.current = statuses;
    return { claims, statuses };
  }

  private async round(ids: string[]): Promise<Map<string, unknown>> {
    this.connection ??= this.open();
    await untilReady(this.connection);
    const places = [this.keys.durable(), ...ids.map(id => this.keys.job(id))];
    // Written in one go, and never sent again: WAIT on another connection would speak of nothing.
    const [statuses, holding] = await Promise.all([
      this.connection.eval(readAndMark, places.length, ...places) as Promise<unknown[]>,
      this.connection.wait(this.needed, LONGEST_WAIT_MS),
    ]);
    if (holding < this.needed)
      throw new HeadstoneError(
        'not_durable',
        `Written, but only ${holding} of ${this.needed} replicas hold it: ask again, and look after the replicas (HEADSTONE_WAIT_REPLICAS).`,
      );
    return new Map(ids.map((id, position) => [id, statuses[position]]));
  }

  private open(): RedisClient {
    const connection = this.client.duplicate({
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      commandTimeout: CALL_MS,
    });
    // The store's own connection reports outages.
    connection.on('error', () => {});
    return connection;
  }
}
