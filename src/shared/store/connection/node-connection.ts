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

/** The connection to the node that has the key, of a cluster's pool. Null if the cluster does not say, and without a cluster. */
export function nodeOf(client: RedisClient, key: string): Redis | null {
  const cluster = clusterOf(client);
  if (!cluster) return null;
  const { slots } = cluster as unknown as { slots: string[][] };
  const [name] = slots[slotOf(key)] ?? [];
  return cluster.nodes('master').find(({ options: { host, port } }) => `${host}:${port}` === name) ?? null;
}

function ownerOf(cluster: Cluster, key: string): Redis {
  const owner = nodeOf(cluster as unknown as RedisClient, key);
  if (owner) return owner;
  cluster.refreshSlotsCache();
  throw new HeadstoneError('store_unreachable', `No node of the Redis Cluster answers for the keys of ${key} now.`);
}
