// Starts a Redis Cluster out of redis-servers, for tests and benchmarks, and moves its slots.
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort, type RedisServer, startRedisServer } from './redis-server.ts';

const SLOTS = 16_384;
/** After this long without a sign of life, the others elect a replica. */
const NODE_TIMEOUT_MS = 2000;

export interface ClusterNode {
  server: RedisServer;
  client: Redis;
  /** The name that the nodes call it by. */
  id: string;
  kill(): Promise<void>;
}

export interface RedisCluster {
  /** Names every primary, as REDIS_URL does. */
  url: string;
  primaries: ClusterNode[];
  /** One for each primary, in the same order; empty if the cluster was started without. */
  replicas: ClusterNode[];
  kill(): Promise<void>;
}

/** Resolves when the nodes agree and serve all slots. Each has an equal range of them. */
export async function startRedisCluster(nodes: number, { replicas = false } = {}): Promise<RedisCluster> {
  const primaries = await startNodes(nodes);
  const copies = replicas ? await startNodes(nodes) : [];
  const all = [...primaries, ...copies];
  const [first] = primaries as [StartedNode];
  const share = SLOTS / nodes;
  for (const [position, { client }] of primaries.entries())
    await client.cluster('ADDSLOTSRANGE', Math.ceil(position * share), Math.ceil((position + 1) * share) - 1);
  for (const { client } of all.slice(1))
    await client.call('CLUSTER', 'MEET', '127.0.0.1', first.server.port, first.bus);
  await until(async () => (await Promise.all(all.map(knows))).every(known => known === all.length));
  for (const [position, { client }] of copies.entries())
    await client.cluster('REPLICATE', primaries[position]?.id ?? '');
  await until(async () => (await Promise.all(all.map(serves))).every(isServing => isServing));
  if (replicas) await until(async () => (await Promise.all(copies.map(isInSync))).every(inSync => inSync));
  return {
    url: `redis://${primaries.map(({ server }) => `127.0.0.1:${server.port}`).join(',')}`,
    primaries,
    replicas: copies,
    async kill() {
      await Promise.all(all.map(node => node.kill()));
    },
  };
}

interface StartedNode extends ClusterNode {
  bus: number;
}

async function startNodes(count: number): Promise<StartedNode[]> {
  return await Promise.all(Array.from({ length: count }, startNode));
}

async function startNode(): Promise<StartedNode> {
  // By default it is the port plus 10,000, which may be none.
  const bus = await freePort();
  const server = await startRedisServer(
    ...['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf', '--cluster-port', String(bus)],
    ...['--cluster-node-timeout', String(NODE_TIMEOUT_MS), '--cluster-require-full-coverage', 'no'],
  );
  const client = new Redis(server.url);
  client.on('error', () => {});
  return {
    server,
    client,
    bus,
    id: String(await client.cluster('MYID')),
    async kill() {
      client.disconnect();
      await server.kill();
    },
  };
}

const infoOf = async ({ client }: ClusterNode) => String(await client.cluster('INFO'));
const knows = async (node: ClusterNode) => Number(/cluster_known_nodes:(\d+)/.exec(await infoOf(node))?.[1]);
const serves = async (node: ClusterNode) => {
  const info = await infoOf(node);
  return info.includes('cluster_state:ok') && info.includes(`cluster_slots_ok:${SLOTS}`);
};
const isInSync = async ({ client }: ClusterNode) =>
  (await client.info('replication')).includes('master_link_status:up');

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if (await isTrue()) return;
    await sleep(50);
  }
  throw new Error('The nodes of the cluster do not agree after 30 s.');
}

/** Moves a slot key by key, as `redis-cli --cluster reshard` does, with a pause after every batch. */
export async function moveSlot(
  slot: number,
  from: ClusterNode,
  to: ClusterNode,
  { batch = 10, pauseMs = 0 } = {},
): Promise<void> {
  await to.client.cluster('SETSLOT', slot, 'IMPORTING', from.id);
  await from.client.cluster('SETSLOT', slot, 'MIGRATING', to.id);
  for (;;) {
    const keys = (await from.client.cluster('GETKEYSINSLOT', slot, batch)) as string[];
    if (keys.length === 0) break;
    await from.client.call('MIGRATE', '127.0.0.1', to.server.port, '', 0, 5000, 'KEYS', ...keys);
    await sleep(pauseMs);
  }
  for (const { client } of [to, from]) await client.cluster('SETSLOT', slot, 'NODE', to.id);
}

/** The primary that has a slot. */
export async function ownerOf(slot: number, nodes: ClusterNode[]): Promise<ClusterNode> {
  const ranges = (await nodes[0]?.client.cluster('SLOTS')) as unknown as [number, number, [string, number]][];
  const port = ranges.find(([first, last]) => first <= slot && slot <= last)?.[2][1];
  const owner = nodes.find(({ server }) => server.port === port);
  if (!owner) throw new Error(`No node has slot ${slot}.`);
  return owner;
}
