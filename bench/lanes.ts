// Measures what lanes cost and how evenly they load the nodes of a Redis Cluster, and prints one line of JSON per figure.
// `npm run bench:lanes` takes about two minutes with its 20,000 jobs.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createProducer } from '../src/producer/create-producer.ts';
import { type RedisCluster, startRedisCluster } from '../tools/redis-cluster.ts';
import { hasRedisServer } from '../tools/redis-server.ts';
import type { Report, Task } from './contestants/contestant.ts';
import { report } from './report.ts';
import { redisCpuMs, startProcess } from './scenario.ts';

const NODES = 3;
const jobs = Number(process.argv[2] ?? 20_000);

if (!hasRedisServer()) {
  process.stderr.write(
    'redis-server is not on the PATH, so there is no cluster to measure (apt-get install redis-server).\n',
  );
  process.exit(1);
}
const cluster = await startRedisCluster(NODES);
const provider = startProcess('./instant-provider.ts');
const [providerUrl] = (await once(provider, 'message')) as [string];
try {
  for (const lanes of [1, 6]) await race(lanes, providerUrl);
  await countConnections(16, providerUrl);
} finally {
  provider.kill();
  await cluster.kill();
}

/** One worker process takes the jobs through their lives; the nodes say what it cost them. */
async function race(lanes: number, providerUrl: string): Promise<void> {
  process.env.HEADSTONE_LANES = String(lanes);
  const prefix = `{bench-${randomUUID().slice(0, 8)}}`;
  const task: Task = { redisUrl: cluster.url, providerUrl, prefix, jobs, concurrency: 60, pollAfterMs: 10 };
  const worker = startProcess('./contestants/headstone.ts', [JSON.stringify(task)]);
  await once(worker, 'message');
  const before = await costsOf(cluster);
  const producer = createProducer({ connection: cluster.url, prefix });
  const many = Array.from({ length: jobs }, (_, number) => ({
    request: { model: 'gpt-5.5', input: `Prompt ${number}` },
  }));
  while (many.length > 0) await producer.enqueueMany(many.splice(0, 1000));
  await producer.close();
  const startedAt = performance.now();
  worker.send('go');
  await (once(worker, 'message') as Promise<[Report]>);
  const seconds = (performance.now() - startedAt) / 1000;
  const after = await costsOf(cluster);
  worker.kill('SIGKILL');
  await once(worker, 'exit');
  const spent = after.map(({ cpuMs, calls }, node) => ({
    cpuMs: cpuMs - (before[node]?.cpuMs ?? 0),
    calls: calls - (before[node]?.calls ?? 0),
  }));
  const cpu = spent.map(({ cpuMs }) => cpuMs / jobs);
  const store = `cluster of ${NODES}, ${lanes} lanes`;
  report({ store, jobs, figure: 'jobs done per second', value: Math.round(jobs / seconds) });
  report({ store, jobs, figure: 'commands per job', value: round(sum(spent.map(({ calls }) => calls)) / jobs) });
  report({ store, jobs, figure: 'CPU of each node per job (ms)', values: cpu.map(round) });
  report({
    store,
    jobs,
    figure: 'CPU of the busiest node beside the idlest',
    value: round(Math.max(...cpu) / Math.min(...cpu)),
  });
}

/** How many connections one worker holds. */
async function countConnections(lanes: number, providerUrl: string): Promise<void> {
  process.env.HEADSTONE_LANES = String(lanes);
  const before = await untilSteady(() => connectionsOf(cluster));
  const prefix = `{bench-${randomUUID().slice(0, 8)}}`;
  const task: Task = { redisUrl: cluster.url, providerUrl, prefix, jobs: 64, concurrency: 16, pollAfterMs: 10 };
  const worker = startProcess('./contestants/headstone.ts', [JSON.stringify(task)]);
  await once(worker, 'message');
  const producer = createProducer({ connection: cluster.url, prefix });
  await producer.enqueueMany(Array.from({ length: 64 }, () => ({ request: { model: 'gpt-5.5', input: 'Prompt' } })));
  await producer.close();
  worker.send('go');
  await once(worker, 'message');
  const value = (await untilSteady(() => connectionsOf(cluster))) - before;
  worker.kill('SIGKILL');
  report({ store: `cluster of ${NODES}, ${lanes} lanes`, jobs: 64, figure: 'connections of one worker', value });
}

interface Cost {
  cpuMs: number;
  calls: number;
}

async function costsOf({ primaries }: RedisCluster): Promise<Cost[]> {
  return await Promise.all(
    primaries.map(async ({ client }) => {
      const stats = await client.info('commandstats');
      const calls = [...stats.matchAll(/^cmdstat_\S+:calls=(\d+)/gm)].map(([, count]) => Number(count));
      return { cpuMs: await redisCpuMs(client), calls: sum(calls) };
    }),
  );
}

async function connectionsOf({ primaries }: RedisCluster): Promise<number> {
  const lists = await Promise.all(primaries.map(({ client }) => client.client('LIST') as Promise<string>));
  return sum(lists.map(list => list.split('\n').filter(line => line.includes('addr=')).length));
}

/** A number once it stays the same: connections of a process that has ended go one by one. */
async function untilSteady(read: () => Promise<number>): Promise<number> {
  for (let last = await read(); ; ) {
    await sleep(1000);
    const now = await read();
    if (now === last) return now;
    last = now;
  }
}

function sum(numbers: number[]): number {
  return numbers.reduce((left, right) => left + right, 0);
}

function round(number: number): number {
  return Math.round(number * 1000) / 1000;
}
