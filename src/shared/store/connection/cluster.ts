import { Cluster, type ClusterNode, type ClusterOptions } from 'ioredis';
import type { RedisClient, RedisOptions } from './client.ts';
import { always, failFast, type Patience, patient } from './patience.ts';

/** How often the client asks which node has which slot. After a failover the first refused command asks too. */
const REFRESH_MS = 5000;
const REFRESH_TIMEOUT_MS = 3000;

const RETRY_MS = 100;
/** A command of a worker is sent again for a few seconds. Whoever needs it tries again after that, as BullMQ's workers do. */
const WORKER_RETRIES = 60;
/** No command on this client blocks, so one without an answer for this long has lost its node. */
const WORKER_TIMEOUT_MS = 10_000;
const CALLER_RETRIES = 16;
const MOST_RECONNECT_DELAY_MS = 2000;

/**
 * Opens the client of a cluster. It finds the node of each command by the key's slot, and follows slots that move and nodes
 * that are replaced. Its subscriptions go to the nodes that publish, so no message crosses the cluster's bus.
 */
export function openCluster(nodes: ClusterNode[], given: RedisOptions, patience: Patience): RedisClient {
  return new Cluster(nodes, optionsOf(given, patience)) as unknown as RedisClient;
}

/** A copy of the app's client that waits through an outage, as a worker needs it. */
export function copyOfCluster(cluster: Cluster, patience: Patience): RedisClient {
  const { redisOptions = {} } = cluster.options;
  return cluster.duplicate([], optionsOf(redisOptions, patience)) as unknown as RedisClient;
}

function optionsOf(given: RedisOptions, patience: Patience): ClusterOptions {
  const isPatient = patience === 'worker';
  const { retryStrategy, enableOfflineQueue, db, ...redisOptions } = {
    ...(isPatient ? {} : failFast),
    ...given,
    ...(isPatient ? { ...patient, commandTimeout: WORKER_TIMEOUT_MS } : {}),
    connectTimeout: always.connectTimeout,
    // The cluster's client sends a command again by itself, to the node that has the slot by then.
    reconnectOnError: null,
  };
  return {
    redisOptions,
    enableOfflineQueue: isPatient,
    shardedSubscribers: true,
    slotsRefreshInterval: REFRESH_MS,
    slotsRefreshTimeout: REFRESH_TIMEOUT_MS,
    maxRedirections: isPatient ? WORKER_RETRIES : CALLER_RETRIES,
    retryDelayOnFailover: RETRY_MS,
    retryDelayOnClusterDown: RETRY_MS,
    retryDelayOnTryAgain: RETRY_MS,
    clusterRetryStrategy: attempt => Math.ceil(Math.random() * Math.min(MOST_RECONNECT_DELAY_MS, 50 * 2 ** attempt)),
  };
}
