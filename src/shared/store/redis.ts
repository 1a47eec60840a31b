import { Redis, type RedisOptions } from 'ioredis';
import { HeadstoneError } from '../contract/errors.ts';
import type { Telemetry } from '../runtime/telemetry.ts';

/** A URL, ioredis options, or a client that the app already has, as in BullMQ. */
export type Connection = string | RedisOptions | Redis | ForeignRedis;
export type RedisClient = Redis;

/** A client of the app's own copy of ioredis: another version, or another bundle. Of a cluster none is taken. */
export interface ForeignRedis {
  duplicate(...options: never[]): unknown;
  connect(): Promise<unknown>;
  disconnect(): void;
}

const LEAST_VERSION = 7;
const MOST_RECONNECT_DELAY_MS = 5000;
const FIRST_RECONNECT_DELAY_MS = 50;
const CONNECT_TIMEOUT_MS = 5000;
/** Of the first connection: whoever starts a command waits for it. */
const PATIENCE_MS = 3000;
const LONGEST_ERROR = 80;

const CALLER_TIMEOUT_MS = 5000;

/** A worker's blocking reads need null, and no time-out of a command. */
const patient: RedisOptions = { maxRetriesPerRequest: null };

/**
 * Nothing is sent twice, and nothing is waited for. ioredis 6 keeps a command that was on its way when the connection
 * broke until a next one is ready, whatever `maxRetriesPerRequest` says; without the resending it fails at once.
 */
const failFast: RedisOptions = {
  maxRetriesPerRequest: 1,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  commandTimeout: CALLER_TIMEOUT_MS,
};

/** What a caller's options turn into for a connection that waits by itself, like a subscriber's. */
export const patientDuplicate: RedisOptions = {
  ...patient,
  enableOfflineQueue: true,
  autoResendUnfulfilledCommands: true,
  commandTimeout: undefined,
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
  if (isClient(connection)) {
    if ('isCluster' in connection && connection.isCluster)
      throw new HeadstoneError(
        'configuration',
        'connection is a client of a Redis Cluster, which Headstone does not speak to: give it one node with all of its data.',
      );
    return { client: connection as Redis, owned: false };
  }
  const options: RedisOptions = {
    connectTimeout: CONNECT_TIMEOUT_MS,
    // Full jitter: pods that lost the same Redis must not come back at the same moment.
    retryStrategy: attempt =>
      Math.ceil(
        Math.random() * Math.min(MOST_RECONNECT_DELAY_MS, FIRST_RECONNECT_DELAY_MS * 2 ** Math.min(attempt, 10)),
      ),
    ...(patience === 'worker' ? patient : failFast),
    ...(typeof connection === 'string' ? {} : connection),
  };
  const client = typeof connection === 'string' ? new Redis(connection, options) : new Redis(options);
  reportOutages(client, telemetry);
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

/** One line when the store is lost and one when it is back, not one a reconnect. */
function reportOutages(client: RedisClient, telemetry: Telemetry): void {
  let lost = false;
  client.on('error', (error: Error) => {
    if (lost) return;
    lost = true;
    telemetry.emit('store_lost', { address: addressOf(client), error: errorCode(error) });
  });
  client.on('ready', () => {
    if (lost) telemetry.emit('store_back', { address: addressOf(client) });
    lost = false;
  });
}

/** Host and port alone: a URL may hold a password. */
export function addressOf(client: RedisClient): string {
  return client.options.path ?? `${client.options.host ?? '127.0.0.1'}:${client.options.port ?? 6379}`;
}

export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer';
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined) return code;
  if (/Connection is closed|Stream isn't writeable/.test(error.message)) return 'connection lost';
  const word = refusalOf(error);
  if (word !== null) return word;
  if (error.name === 'MaxRetriesPerRequestError' || error.name === 'AbortError') return 'connection lost';
  // Of ioredis and Redis themselves, such as a protocol that is not theirs; any other error is told by its kind alone.
  return /^(Protocol error|WRONGPASS|NOAUTH|ERR )/.test(error.message)
    ? (error.message.split(', with args')[0]?.slice(0, LONGEST_ERROR) ?? error.name)
    : error.name;
}

/** Resolves when the store answers; rejects with one sentence when it does not, or must not be used. */
export async function assertSuitable(client: RedisClient): Promise<void> {
  await untilReady(client);
  const address = addressOf(client);
  const server = await client.info('server');
  const name = /^server_name:(\S+)/m.exec(server)?.[1] ?? 'redis';
  const version = /^(?:valkey_version|redis_version):(\S+)/m.exec(server)?.[1] ?? '0';
  if (name !== 'valkey' && Number.parseInt(version, 10) < LEAST_VERSION)
    throw new HeadstoneError(
      'store_unsuitable',
      `The Redis at ${address} is ${version}, and Headstone needs ${LEAST_VERSION}.0 or newer, or Valkey: point REDIS_URL at one.`,
    );
  const policy = /^maxmemory_policy:(\S+)/m.exec(await client.info('memory'))?.[1];
  if (policy !== undefined && policy !== 'noeviction')
    throw new HeadstoneError(
      'store_unsuitable',
      `The Redis at ${address} has maxmemory-policy ${policy}, which silently drops jobs and tombstones when memory is short: run CONFIG SET maxmemory-policy noeviction, and set it in redis.conf too.`,
    );
}

export async function untilReady(client: RedisClient): Promise<void> {
  if (client.status === 'ready') return;
  let lastError: unknown;
  const remember = (error: unknown) => {
    lastError = error;
  };
  client.on('error', remember);
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(reject, PATIENCE_MS, new Error('timeout'));
      client.once('ready', () => {
        clearTimeout(timer);
        resolve();
      });
      client.once('end', reject);
      if (client.status === 'wait') client.connect().catch(remember);
    });
  } catch {
    throw unreachable(client, lastError);
  } finally {
    client.off('error', remember);
  }
}

export function unreachable(client: RedisClient, cause: unknown): HeadstoneError {
  return new HeadstoneError(
    'store_unreachable',
    `Redis at ${addressOf(client)} does not answer (${errorCode(cause)}): start it, or point REDIS_URL at one that runs.`,
    { cause },
  );
}

/** What Redis answers while it will not write: full, a replica, loading, without enough replicas, its disk full, its password changed. */
const refusal =
  /^-?(OOM|READONLY|MISCONF|LOADING|NOREPLICAS|BUSY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|NOAUTH|WRONGPASS|NOPERM)\b/;

/** The store's own word for why it does not write now, or null for any other error. */
export function refusalOf(error: unknown): string | null {
  return error instanceof Error ? (refusal.exec(error.message)?.[1] ?? null) : null;
}

export function refused(client: RedisClient, word: string, cause: unknown): HeadstoneError {
  return new HeadstoneError(
    'store_refused',
    `Redis at ${addressOf(client)} answers, and does not write now (${word}): look after its memory, disk, replicas and passwords, then try again.`,
    { cause },
  );
}

/** True for the failures of a connection, as opposed to an answer of the store. */
export function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    error.name === 'MaxRetriesPerRequestError' ||
    /Connection is closed|Stream isn't writeable|Command timed out|Command aborted|Socket closed|ECONN|ETIMEDOUT|EPIPE|EHOSTUNREACH/.test(
      `${errorCode(error)} ${error.message}`,
    )
  );
}
