import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { createProducer } from '../src/producer/create-producer.ts';
import type { Report, Task } from './contestants/contestant.ts';
import type { Figures } from './ratios.ts';

export type Contestant = 'headstone' | 'hops';

const CONCURRENCY = 50;
const POLL_AFTER_MS = 10;

const request = (number: number) => ({ model: 'gpt-5.5', input: `Prompt ${number}: write a report on the tides.` });

/** Enqueues the jobs, and measures the enqueueing and then one worker process and Redis until all jobs are done. */
export async function measureLifecycle(
  contestant: Contestant,
  { jobs, redisUrl, providerUrl }: { jobs: number; redisUrl: string; providerUrl: string },
): Promise<Figures> {
  const prefix = `{bench-${randomUUID().slice(0, 8)}}`;
  const redis = new Redis(redisUrl);
  const task: Task = { redisUrl, providerUrl, prefix, jobs, concurrency: CONCURRENCY, pollAfterMs: POLL_AFTER_MS };
  const worker = startProcess(`./contestants/${contestant}.ts`, [JSON.stringify(task)]);
  try {
    await once(worker, 'message');
    const enqueuedIn = await enqueue[contestant](task);
    const redisBefore = await redisCpuMs(redis);
    const startedAt = performance.now();
    worker.send('go');
    const [report] = (await once(worker, 'message')) as [Report & { said: 'done' }];
    const seconds = (performance.now() - startedAt) / 1000;
    return {
      'jobs enqueued per second': jobs / enqueuedIn,
      'jobs done per second': jobs / seconds,
      'worker CPU per job (ms)': report.cpuMs / jobs,
      'Redis CPU per job (ms)': ((await redisCpuMs(redis)) - redisBefore) / jobs,
      'worker memory (MB)': report.residentMb,
    };
  } finally {
    worker.kill('SIGKILL');
    await redis.flushall();
    redis.disconnect();
  }
}

/** Starts a file of this folder as a process that ends with this one. */
export function startProcess(file: string, args: string[] = []): ChildProcess {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return child;
}

/** Enqueues all jobs at once. Returns the seconds that it took. */
const enqueue: Record<Contestant, (task: Task) => Promise<number>> = {
  async headstone({ redisUrl, prefix, jobs }) {
    const producer = createProducer({ connection: redisUrl, prefix });
    await producer.ready();
    const many = Array.from({ length: jobs }, (_, number) => ({ request: request(number) }));
    const seconds = await timed(() => producer.enqueueMany(many));
    await producer.close();
    return seconds;
  },
  async hops({ redisUrl, prefix, jobs }) {
    const { hostname: host, port } = new URL(redisUrl);
    const queue = new Queue('launch', {
      connection: { host, port: Number(port) },
      prefix,
      defaultJobOptions: { removeOnComplete: true },
    });
    await queue.waitUntilReady();
    const many = Array.from({ length: jobs }, (_, number) => ({ name: 'launch', data: request(number) }));
    const seconds = await timed(() => queue.addBulk(many));
    await queue.close();
    return seconds;
  },
};

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

async function redisCpuMs(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  const seconds = (field: string) => Number(new RegExp(`^${field}:([\\d.]+)`, 'm').exec(info)?.[1] ?? Number.NaN);
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1000;
}
