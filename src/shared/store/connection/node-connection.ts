import slotOf from 'cluster-key-slot';
import type { Cluster, Redis } from 'ioredis';
import { HeadstoneError } from '../../contract/errors.ts';
import { clusterOf, type RedisClient, type RedisOptions } from './client.ts';

/**
 * Opens a connection of its own to the server that has a key, for commands that block it. In a cluster the key may move, and
 * then this connection's commands fail: close it and open another. Throws `store_unreachable` if no node has the key now.
 */
export function openNodeConnection(client: RedisClient, key: string, options: RedisOptions): RedisClient {
  const cluster = clusterOf(client);
  const connection = cluster
    ? ownerOf(cluster, key).duplicate({ readOnly: false, enableOfflineQueue: true, ...options, retryStrategy: null })
    : client.duplicate(options);
  // The main connection reports outages.
  connection.on('error', () => {});
  return connection;
}

/** Names the server that has a key, for errors: the node by its address, even if its connection is gone. */
export function atNodeOf(client: RedisClient, key: string): Pick<RedisClient, 'options'> {
  const cluster = clusterOf(client);
  const name = cluster ? nameOfOwner(cluster, key) : undefined;
  if (name === undefined) return client;
  const [, host = '', port] = /^(.*):(\d+)$/.exec(name) ?? [];
  return { options: { host, port: Number(port) } as RedisClient['options'] };
}

/** `host:port` of the node that has a key, as far as the cluster's client knows. */
function nameOfOwner(cluster: Cluster, key: string): string | undefined {
  const { slots } = cluster as unknown as { slots: string[][] };
  return slots[slotOf(key)]?.[0];
}

/** The pool's connection to the node that has a key; undefined while it is lost. */
function poolConnection(cluster: Cluster, key: string): Redis | undefined {
  const name = nameOfOwner(cluster, key);
  return cluster.nodes('master').find(({ options: { host, port } }) => `${host}:${port}` === name);
}

/** False while the server that has a key is away. */
export function isNodeConnected(client: RedisClient, key: string): boolean {
  const cluster = clusterOf(client);
  const status = cluster ? poolConnection(cluster, key)?.status : client.status;
  // A node that was asked nothing yet waits.
  return status === 'ready' || (cluster !== null && status === 'wait');
}

function ownerOf(cluster: Cluster, key: string): Redis {
  const owner = poolConnection(cluster, key);
  if (owner) return owner;
  cluster.refreshSlotsCache();
  throw new HeadstoneError('store_unreachable', `No node of the Redis Cluster answers for the keys of ${key} now.`);
}
