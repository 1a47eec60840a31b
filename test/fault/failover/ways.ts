import slotOf from 'cluster-key-slot';
import { Redis } from 'ioredis';
import { expect, onTestFinished } from 'vitest';
import { ownerOf, startRedisCluster } from '../../../tools/redis-cluster.ts';
import { startSentinels } from '../../../tools/redis-sentinel.ts';
import { startRedisServer } from '../../../tools/redis-server.ts';
import { startProxy } from '../../support/proxy.ts';

/** A Redis whose primary can be replaced by a replica that was cut off before. */
export interface Deployment {
  url: string;
  /** From now on nothing reaches the replica, and clients of the primary see nothing of that. */
  cutOff(): Promise<void>;
  /** Kills the primary. Resolves with the URL of the heir once it takes writes. */
  replace(): Promise<string>;
}

/** Where a deployment does it by itself, its clients follow. By hand, nobody tells them. */
export const ways = { 'by hand': byHand, 'by Sentinels': bySentinels, 'in a cluster': inCluster };
export type Way = keyof typeof ways;

const TAKES_MS = 30_000;

async function byHand(): Promise<Deployment> {
  const primary = await startRedisServer();
  const wire = await startProxy(primary.port);
  const heir = await startRedisServer('--replicaof', '127.0.0.1', String(wire.port));
  onTestFinished(() => heir.kill());
  const client = clientOf(heir.url);
  await expect.poll(() => client.info('replication'), { timeout: TAKES_MS }).toContain('master_link_status:up');
  return {
    url: primary.url,
    async cutOff() {
      wire.freeze();
    },
    async replace() {
      await primary.kill();
      await client.replicaof('NO', 'ONE');
      return heir.url;
    },
  };
}

async function bySentinels(): Promise<Deployment> {
  const set = await startSentinels();
  onTestFinished(() => set.kill());
  return {
    url: set.url,
    cutOff: () => refuseReplicas(clientOf(set.primary.url)),
    async replace() {
      await set.primary.kill();
      await untilPrimary(clientOf(set.replica.url));
      return set.url;
    },
  };
}

async function inCluster(prefix: string): Promise<Deployment> {
  const cluster = await startRedisCluster(3, { replicas: true });
  onTestFinished(() => cluster.kill());
  const owner = await ownerOf(slotOf(prefix), cluster.primaries);
  const heir = cluster.replicas[cluster.primaries.indexOf(owner)];
  return {
    url: cluster.url,
    cutOff: () => refuseReplicas(owner.client),
    async replace() {
      await owner.kill();
      if (heir) await untilPrimary(heir.client);
      return cluster.url;
    },
  };
}

/** The primary turns its replica away, as when the network between them is gone. */
async function refuseReplicas(primary: Redis): Promise<void> {
  await primary.call('ACL', 'SETUSER', 'default', '-psync', '-sync');
  await primary.call('CLIENT', 'KILL', 'TYPE', 'replica');
}

async function untilPrimary(heir: Redis): Promise<void> {
  await expect.poll(() => heir.info('replication'), { timeout: TAKES_MS }).toContain('role:master');
}

function clientOf(url: string): Redis {
  const client = new Redis(url);
  client.on('error', () => {});
  onTestFinished(() => client.disconnect());
  return client;
}
