import { HeadstoneError } from '../../contract/errors.ts';
import { clusterOf, type RedisClient, type RedisOptions } from './client.ts';
import { openNodeConnection } from './node-connection.ts';
import { untilReady } from './suitable.ts';

const LONGEST_WAIT_MS = 1000;
const CALL_MS = 5000;

const ownConnection: RedisOptions = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  commandTimeout: CALL_MS,
};

/** A job or a cancellation that was written or read with this status. */
export interface Claim {
  place: string;
  status: string;
}

/**
 * Reads statuses and then writes a mark, so that what replicas hold up to the mark includes what was read. A full Redis runs it
 * too, because a cancel needs it (I1). KEYS: the mark, then the hashes.
 */
const readAndMark = `#!lua flags=allow-oom
local statuses = {}
for position = 2, #KEYS do statuses[position - 1] = redis.call('HGET', KEYS[position], 'status') end
redis.call('INCR', KEYS[1])
return statuses`;

/**
 * Finds out whether enough replicas hold what was written or read. Redis' WAIT blocks its connection for up to a second, so it
 * has a separate one, and callers that ask meanwhile share the next answer. That connection may reach another server than the
 * write did, one that was promoted without it, so it reads the statuses again (docs/decisions/0013).
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

  /** Throws `not_durable` if too few replicas hold the claims. */
  async confirm(claims: Claim[]): Promise<void> {
    if (this.needed === 0 || claims.length === 0) return;
    // The round that is under way may have set its mark before the claims were written.
    this.next ??= this.plan();
    this.next.claims.push(...claims);
    const statuses = await this.next.statuses;
    if (claims.some(({ place, status }) => statuses.get(place) !== status))
      throw new HeadstoneError(
        'not_durable',
        'Redis failed over to a server that does not have this write. Try again.',
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
    if (this.isClosed)
      throw new HeadstoneError('store_unreachable', 'The connection was closed before the replicas had answered.');
    this.connection ??= openNodeConnection(this.client, this.markKey, ownConnection);
    const [statuses, holding] = await this.ask(this.connection, places).catch((error: unknown) => {
      // In a cluster the key may be on another node by now.
      if (clusterOf(this.client)) this.forget();
      throw error;
    });
    if (holding < this.needed)
      throw new HeadstoneError(
        'not_durable',
        `It was written, but only ${holding} of ${this.needed} replicas have confirmed it. Try again, and check the replicas (HEADSTONE_WAIT_REPLICAS).`,
      );
    return new Map(places.map((place, position) => [place, statuses[position]]));
  }

  /** Both are sent at once and never again, because WAIT on another connection would mean nothing. */
  private async ask(connection: RedisClient, places: string[]): Promise<[statuses: unknown[], holding: number]> {
    await untilReady(connection);
    return await Promise.all([
      connection.eval(readAndMark, places.length + 1, this.markKey, ...places) as Promise<unknown[]>,
      connection.wait(this.needed, LONGEST_WAIT_MS),
    ]);
  }

  private forget(): void {
    this.connection?.disconnect();
    this.connection = undefined;
  }
}
