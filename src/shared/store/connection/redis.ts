import type { Duplex } from 'node:stream';
import { type Cluster, Redis } from 'ioredis';
import type { Telemetry } from '../../runtime/telemetry.ts';
import { clusterOf, type RedisClient, type RedisOptions } from './client.ts';
import { copyOfCluster, openCluster } from './cluster.ts';
import { type ConnectionOptions, readConnection } from './connection-options.ts';
import { joinWrites } from './joined-writes.ts';
import { always, failFast, leaveWrongServers, type Patience, patient, patientDuplicate } from './patience.ts';
import { addressOf, errorCode } from './store-errors.ts';
import { assertDatabase } from './suitable.ts';

/** A URL, ioredis options, or the app's ioredis client, as in BullMQ. A client may be one of a cluster. */
export type Connection = string | ConnectionOptions | Redis | Cluster | ForeignRedis;

/** A client of another copy of ioredis: another version, or another bundle. */
interface ForeignRedis {
  duplicate(...options: never[]): unknown;
  connect(): Promise<unknown>;
  disconnect(): void;
}

export interface Opened {
  client: RedisClient;
  /** False for the app's own client, which the app closes. */
  owned: boolean;
}

export function openRedis(connection: Connection, patience: Patience, telemetry: Telemetry): Opened {
  if (isClient(connection)) return openFrom(connection as Redis, patience, telemetry);
  const address = readConnection(connection);
  if (patience === 'worker' && address.options.commandTimeout !== undefined) sayOverridden(telemetry);
  if (address.kind === 'cluster')
    return { client: watched(openCluster(address.nodes, address.options, patience), telemetry), owned: true };
  const options: RedisOptions = {
    ...always,
    ...(patience === 'worker' ? {} : failFast),
    ...address.options,
    // These come last, because they override what a worker cannot work with.
    ...(patience === 'worker' ? patient : {}),
  };
  const client = address.url === undefined ? new Redis(options) : new Redis(address.url, options);
  joinWrites(client);
  return { client: watched(client, telemetry), owned: true };
}

/** A caller uses the app's client. A worker needs one that waits, so it takes a copy. */
function openFrom(given: Redis, patience: Patience, telemetry: Telemetry): Opened {
  const cluster = clusterOf(given);
  const options = cluster ? cluster.options.redisOptions : given.options;
  if (patience === 'caller') {
    if (!cluster) given.options.reconnectOnError ??= leaveWrongServers(false);
    return { client: given, owned: false };
  }
  if (options?.commandTimeout !== undefined) sayOverridden(telemetry);
  if (cluster) return { client: watched(copyOfCluster(cluster, patience), telemetry), owned: true };
  const client = given.duplicate(patientDuplicate);
  joinWrites(client);
  return { client: watched(client, telemetry), owned: true };
}

/** Knows a client by its shape, as BullMQ does, because `instanceof` knows only one copy of ioredis. */
function isClient(connection: Connection): connection is Redis | Cluster | ForeignRedis {
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
function watched(client: RedisClient, telemetry: Telemetry): RedisClient {
  let lost = false;
  const lose = (error: Error) => {
    // A cluster's client reports each node, and goes on while it can reach the others.
    if (lost || (clusterOf(client) && client.status === 'ready')) return;
    lost = true;
    telemetry.emit('store_lost', { address: addressOf(client), error: errorCode(error) });
  };
  client.on('error', lose);
  // ioredis waits for a connection's end once for each command that a wrong server refuses.
  client.on('connect', () => void (client as { stream?: Duplex }).stream?.setMaxListeners(0));
  client.on('ready', () => {
    if (lost) telemetry.emit('store_back', { address: addressOf(client) });
    lost = false;
    // This runs after every reconnect, and nothing may be written before the database is sure.
    assertDatabase(client).catch((error: Error) => {
      lose(error);
      client.disconnect(true);
    });
  });
  return client;
}
