import { Redis } from 'ioredis';
import { HeadstoneError } from '../../contract/errors.ts';
import type { Telemetry } from '../../runtime/telemetry.ts';
import type { RedisClient, RedisOptions } from './client.ts';
import { type ConnectionOptions, readConnection } from './connection-options.ts';
import { addressOf, errorCode, isWrongServer } from './store-errors.ts';
import { assertDatabase } from './suitable.ts';

/** A URL, ioredis options, or a client that the app already has, as in BullMQ. */
export type Connection = string | ConnectionOptions | Redis | ForeignRedis;

/** A client of the app's own copy of ioredis: another version, or another bundle. A cluster's is refused. */
export interface ForeignRedis {
  duplicate(...options: never[]): unknown;
  connect(): Promise<unknown>;
  disconnect(): void;
}

const MOST_RECONNECT_DELAY_MS = 5000;
const FIRST_RECONNECT_DELAY_MS = 50;
const CONNECT_TIMEOUT_MS = 5000;
const CALLER_TIMEOUT_MS = 5000;

/**
 * So long may a connection be silent that owes us an answer. BullMQ's reads block for ten seconds at most, so a longer
 * silence means that the other end is gone without a word: Linux alone would wait for a quarter of an hour.
 */
const WORKER_SILENCE_MS = 13_000;
const CALLER_SILENCE_MS = CALLER_TIMEOUT_MS + 1000;

/** Servers left one after the other count together; a new count begins after so long. */
const SAME_FAILOVER_MS = 15_000;
const MOST_LEAVING_DELAY_MS = 2000;

/** Reconnects after a server was left are slowed down by how often that happened: it may be the wrong one for ever. */
const departures = new WeakMap<object, { count: number; at: number }>();

/** `again`: what was refused is sent once more, to the next server. It did nothing on this one. */
function leaveWrongServers(again: boolean): NonNullable<RedisOptions['reconnectOnError']> {
  return function (this: object, error: Error) {
    if (!isWrongServer(error)) return false;
    const known = departures.get(this);
    const isSame = known !== undefined && performance.now() - known.at < SAME_FAILOVER_MS;
    departures.set(this, { count: isSame ? known.count + 1 : 1, at: performance.now() });
    return again ? 2 : 1;
  };
}

/** Full jitter: pods that lost the same Redis must not come back at the same moment. */
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

/** A worker's blocking reads need null, and no time-out of a command: it would make them deaf. */
const patient: RedisOptions = {
  maxRetriesPerRequest: null,
  commandTimeout: undefined,
  socketTimeout: WORKER_SILENCE_MS,
  reconnectOnError: leaveWrongServers(true),
};

/**
 * Nothing is sent twice, and nothing is waited for. With no retries a command that was on its way when the connection
 * broke fails at once. With one, ioredis 6 drops it where the next connection is ready soon, and nobody hears of it
 * before its time-out.
 */
const failFast: RedisOptions = {
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  commandTimeout: CALLER_TIMEOUT_MS,
  socketTimeout: CALLER_SILENCE_MS,
  reconnectOnError: leaveWrongServers(false),
};

/** What a caller's options turn into for a connection that waits by itself, like a subscriber's. */
export const patientDuplicate: RedisOptions = {
  ...patient,
  enableOfflineQueue: true,
  autoResendUnfulfilledCommands: true,
};

/**
 * `caller`: fails fast, because somebody waits for the answer · `worker`: waits through an outage, because the work does.
 */
export type Patience = 'caller' | 'worker';

export interface Opened {
  client: RedisClient;
  /** False when the app gave us its own client: closing it is the app's business. */
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
    // Last: what a worker cannot live with is overridden, whatever the app's options say.
    ...(patience === 'worker' ? patient : {}),
  };
  const client = url === undefined ? new Redis(options) : new Redis(url, options);
  watch(client, telemetry);
  return { client, owned: true };
}

/** A caller uses the app's client as it is. A worker needs one that waits, so it takes a copy of it. */
function openFrom(given: Redis, patience: Patience, telemetry: Telemetry): Opened {
  if ('isCluster' in given && given.isCluster)
    throw new HeadstoneError(
      'configuration',
      'connection is a client of a Redis Cluster, which Headstone does not speak to: give it one node with all of its data.',
    );
  if (patience === 'caller') {
    given.options.reconnectOnError ??= leaveWrongServers(false);
    return { client: given, owned: false };
  }
  if (given.options.commandTimeout !== undefined) sayOverridden(telemetry);
  const client = given.duplicate(patientDuplicate);
  watch(client, telemetry);
  return { client, owned: true };
}

/** By its shape, as BullMQ does: `instanceof` knows one copy of ioredis alone. */
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
    advice: 'commandTimeout of the connection was left out: it would break the reads on which a worker waits.',
  });
}

/** One line when the store is lost and one when it is back, not one a reconnect; and never another database than ours. */
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
    // After a reconnect too: until its index is sure, nothing may be written.
    assertDatabase(client).catch((error: Error) => {
      lose(error);
      client.disconnect(true);
    });
  });
}
