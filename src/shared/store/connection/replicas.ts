import { HeadstoneError } from '../../contract/errors.ts';
import type { RedisClient } from './client.ts';
import { untilReady } from './suitable.ts';

const LONGEST_WAIT_MS = 1000;
const CALL_MS = 5000;

/** A job, or a cancellation of many, that was written or read with this status. */
export interface Claim {
  place: string;
  status: string;
}

/**
 * Reads the statuses, and writes a mark behind everything that was read. A full Redis takes it: a cancel needs it (I1).
 * KEYS: the mark, then the places.
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
  private readonly markKey: string;
  private connection: RedisClient | undefined;
  private isClosed = false;
  private current: Promise<unknown> = Promise.resolve();
  private next: { claims: Claim[]; statuses: Promise<Map<string, unknown>> } | undefined;

  constructor(client: RedisClient, needed: number, markKey: string) {
    this.client = client;
    this.needed = needed;
    this.markKey = markKey;
  }

  /** Throws `not_durable` when too few hold it. */
  async confirm(claims: Claim[]): Promise<void> {
    if (this.needed === 0 || claims.length === 0) return;
    // The round that is under way may have set its mark before what we speak of.
    this.next ??= this.plan();
    this.next.claims.push(...claims);
    const statuses = await this.next.statuses;
    if (claims.some(({ place, status }) => statuses.get(place) !== status))
      throw new HeadstoneError(
        'not_durable',
        'The store was replaced by one that does not hold what was written: ask again.',
      );
  }

  close(): void {
    this.isClosed = true;
    this.connection?.disconnect();
  }

  private plan(): NonNullable<Replicas['next']> {
    const claims: Claim[] = [];
    const statuses = this.current
      .catch(() => {})
      .then(() => {
        this.next = undefined;
        return this.round([...new Set(claims.map(({ place }) => place))]);
      });
    this.current = statuses;
    return { claims, statuses };
  }

  private async round(places: string[]): Promise<Map<string, unknown>> {
    if (this.isClosed) throw new HeadstoneError('store_unreachable', 'This was closed before the replicas were heard.');
    this.connection ??= this.open();
    await untilReady(this.connection);
    // Written in one go, and never sent again: WAIT on another connection would speak of nothing.
    const [statuses, holding] = await Promise.all([
      this.connection.eval(readAndMark, places.length + 1, this.markKey, ...places) as Promise<unknown[]>,
      this.connection.wait(this.needed, LONGEST_WAIT_MS),
    ]);
    if (holding < this.needed)
      throw new HeadstoneError(
        'not_durable',
        `Written, but only ${holding} of ${this.needed} replicas hold it: ask again, and look after the replicas (HEADSTONE_WAIT_REPLICAS).`,
      );
    return new Map(places.map((place, position) => [place, statuses[position]]));
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
