import type { Cluster, Redis, RedisOptions } from 'ioredis';

/** The type of a connection to Redis. A cluster's client has the same commands and is typed like one of a single server. */
export type RedisClient = Redis;
export type { RedisOptions };

/** The cluster behind a client; null for a single server. */
export function clusterOf(client: object): Cluster | null {
  return 'isCluster' in client && client.isCluster === true ? (client as unknown as Cluster) : null;
}
