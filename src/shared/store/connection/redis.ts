import { Redis } from 'ioredis';
import { HeadstoneError } from '../../contract/errors.ts';
import type { Telemetry } from '../../runtime/telemetry.ts';
import type { RedisClient, RedisOptions } from './client.ts';
import { type ConnectionOptions, readConnection } from './connection-options.ts';
import { joinWrites } from './joined-writes.ts';
import { addressOf, errorCode, isWrongServer } from './store-errors.ts';
import { assertDatabase } from './suitable.ts';

/** A URL, ioredis options, or the app's ioredis client, as in BullMQ. */
export type Connection = string | ConnectionOptions | Redis | ForeignRedis;

/** A client of another copy of ioredis: another version, or another bundle. A cluster's client is refused. */
interface ForeignRedis {
  duplicate(...options: never[]): unknown;
  connect(): Promise<unknown>;
  disconnect(): void;
}

const MOST_RECONNECT_DELAY_MS = 5000;
const FIRST_RECONNECT_DELAY_MS = 50;
const CONNECT_TIMEOUT_MS = 5000;
const CALLER_TIMEOUT_MS = 5000;

/**
 * How long a connection that owes an answer may be silent. BullMQ's reads block for at most ten seconds, so after a longer
 * silence the other end is gone. Linux would wait for a quarter of an hour.
 */
const WORKER_SILENCE_MS = 13_000;
const CALLER_SILENCE_MS = CALLER_TIMEOUT_MS + 1000;

/** Servers that are left within this time of each other belong to one failover. */
const SAME_FAILOVER_MS = 15_000;
const MOST_LEAVING_DELAY_MS = 2000;

/** How often a connection has left a server. Reconnecting slows down with it, because the server may be wrong for ever. */
const departures = new WeakMap<object, { count: number; at: number }>();

/** Leaves servers that are replicas by now. `again`: the refused command is sent to the next server; it did nothing on this one. */
function leaveWrongServers(again: boolean): NonNullable<RedisOptions['reconnectOnError']> {
  return function (this: object, error: Error) {
    if (!isWrongServer(error)) return false;
    const known = departures.get(this);
    const isSame = known !== undefined && performance.now() - known.at < SAME_FAILOVER_MS;
    departures.set(this, { count: isSame ? known.count + 1 : 1, at: performance.now() });
    return again ? 2 : 1;
  };
}

/** The delay has full jitter, so that pods which lost the same Redis do not all come back at the same moment. */
function reconnectDelayMs(this: object, attempt: number): number {
  const known = departures.get(this);
  const isLeaving = known !== undefined && performance.now() - known.at < SAME_FAILOVER_MS;
  const steps = Math.min(isLeaving ? known.count : attempt, 10);
  const most = isLeaving ? MOST_LEAVING_DELAY_MS : MOST_RECONNECT_DELAY_MS;
  return Math.ceil(Math.random() * Math.min(most, FIRST_RECONNECT_DELAY_MS * 2 ** steps));
}

const always: RedisOptions = {
  connectTimeout: CONNECT_TIMEOUT_MS,
  retryStrategy: reconnectDelayMs,
};

/** A worker's blocking reads need `null` and no time-out for commands, which would break them. */
const patient: RedisOptions = {
  maxRetriesPerRequest: null,
  commandTimeout: undefined,
  socketTimeout: WORKER_SILENCE_MS,
  reconnectOnError: leaveWrongServers(true),
};

/**
 * Nothing is sent twice and nothing waits. Without retries, a command that was on its way when the connection broke fails at
 * once. With one retry, ioredis 6 drops it if the next connection is ready soon, and the caller waits for the time-out.
 */
const failFast: RedisOptions = {
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  commandTimeout: CALLER_TIMEOUT_MS,
  socketTimeout: CALLER_SILENCE_MS,
  reconnectOnError: leaveWrongServers(false),
};

/** The options for a copy of a connection that waits through an outage, like a subscriber's. */
export const patientDuplicate: RedisOptions = {
  ...patient,
  enableOfflineQueue: true,
  autoResendUnfulfilledCommands: true,
};

/** `caller`: it fails fast, because somebody waits for the answer. `worker`: it waits through an outage. */
export type Patience = 'caller' | 'worker';

export interface Opened {
  client: RedisClient;
  /** False for the app's own client, which the app closes. */
  owned: boolean;
}

export function openRedis(connection: Connection, patience: Patience, telemetry: Telemetry): Opened {
  if (isClient(connection)) return openFrom(connection as Redis, patience, telemetry);
  const { url, options: given } = readConnection(connection);
  if (patience === 'worker' && given.commandTimeout !== undefined) sayOverridden(telemetry);
  const options: RedisOptions = {
    ...always,
    ...(patience === 'worker' ? {} : failFast),
    ...given,
    // These come last, because they override what a worker cannot work with.
    ...(patience === 'worker' ? patient : {}),
  };
  const client = url === undefined ? new Redis(options) : new Redis(url, options);
  joinWrites(client);
  watch(client, telemetry);
  return { client, owned: true };
}

/** A caller uses the app's client. A worker needs one that waits, so it takes a copy. */
function openFrom(given: Redis, patience: Patience, telemetry: Telemetry): Opened {
  if ('isCluster' in given && given.isCluster)
    throw new HeadstoneError(
      'configuration',
      'connection is a client of a Redis Cluster, which Headstone does not support. Give it a Redis that has all of its data on one node.',
    );
  if (patience === 'caller') {
    given.options.reconnectOnError ??= leaveWrongServers(false);
    return { client: given, owned: false };
  }
  if (given.options.commandTimeout !== undefined) sayOverridden(telemetry);
  const client = given.duplicate(patientDuplicate);
  joinWrites(client);
  watch(client, telemetry);
  return { client, owned: true };
}

/** Knows a client by its shape, as BullMQ does, because `instanceof` knows only one copy of ioredis. */
function isClient(connection: Connection): connection is Redis | ForeignRedis {
  return (
    typeof connection === 'object' &&
    (['duplicate', 'connect', 'disconnect'] as const).every(
      name => name in connection && typeof (connection as ForeignRedis)[name] === 'function',
    )
  );
}

function sayOverridden(telemetry: Telemetry): void {
  telemetry.emit('setting_unknown', {
    advice: 'The connection’s commandTimeout was left out, because it would break the reads on which a worker waits.',
  });
}

/** Logs one line when the store is lost and one when it is back. It also makes sure of the database after each reconnect. */
function watch(client: RedisClient, telemetry: Telemetry): void {
  let lost = false;
  const lose = (error: Error) => {
    if (lost) return;
    lost = true;
    telemetry.emit('store_lost', { address: addressOf(client), error: errorCode(error) });
  };
  client.on('error', lose);
  client.on('ready', () => {
    if (lost) telemetry.emit('store_back', { address: addressOf(client) });
    lost = false;
    // This runs after every reconnect, and nothing may be written before the database is sure.
    assertDatabase(client).catch((error: Error) => {
      lose(error);
      client.disconnect(true);
    });
  });
}
