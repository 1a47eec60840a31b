import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createProducer } from '../../src/producer/create-producer.ts';
import type { Producer } from '../../src/producer/producer.ts';
import type { Task } from '../contestants/contestant.ts';
import { type Place, residentMb, type Sample, type Scenario, SMALL_HEAP, startProcess } from '../scenario.ts';

/** Fifty races: 100,000 jobs by default. */
const MULTIPLE = 50;
const AT_ONCE = 1000;
const UNTIL_MUCH_LATER_MS = 3_600_000;
const PROMPT = 'Write a report on the tides of the Wadden Sea, with sources.';

export const parked: Scenario = {
  name: 'parked',
  about:
    'Launched jobs that wait for their poll: what each takes in Redis beside its request, and what a worker with a heap of 128 MB takes for all of them.',
  isLong: true,
  async measure(place) {
    const { redis, redisUrl, providerUrl, jobs } = place;
    const prefix = '{bench-parked}';
    const task: Task = {
      redisUrl,
      providerUrl,
      prefix,
      jobs: Number.MAX_SAFE_INTEGER,
      concurrency: 50,
      pollAfterMs: UNTIL_MUCH_LATER_MS,
    };
    const worker = startProcess('./contestants/headstone.ts', [JSON.stringify(task)], SMALL_HEAP);
    const producer = createProducer({ connection: redisUrl, prefix });
    try {
      await once(worker, 'message');
      worker.send('go');
      await park(producer, AT_ONCE);
      await sleep(1000);
      const before = { memory: residentMb(worker.pid), redis: await usedBytes(place) };
      const more = jobs * MULTIPLE - AT_ONCE;
      for (let done = 0; done < more; done += AT_ONCE) await park(producer, AT_ONCE + done + AT_ONCE);
      await sleep(1000);
      const [request] = await redis.keys(`${prefix}:request:*`);
      const requestBytes = (await redis.memory('USAGE', request ?? '')) ?? 0;
      const bytes = ((await usedBytes(place)) - before.redis) / more - requestBytes;
      return samples(jobs * MULTIPLE, bytes, residentMb(worker.pid) - before.memory);
    } finally {
      worker.kill('SIGKILL');
      await producer.close();
      await redis.flushall();
    }
  },
};

function samples(count: number, bytes: number, growthMb: number): Sample[] {
  const all = count.toLocaleString('en-US');
  return [
    { figure: `Redis bytes of a parked job, of ${all}`, ours: bytes, goal: '≤ 2,048' },
    { figure: `growth of a worker, ${all} parked (MB)`, ours: growthMb, goal: '≤ 50' },
  ];
}

/** Enqueues more jobs, and waits until so many are parked in all. */
async function park(producer: Producer, total: number): Promise<void> {
  await producer.enqueueMany(Array.from({ length: AT_ONCE }, () => ({ request: { model: 'endless', input: PROMPT } })));
  while (((await producer.depths()).jobs.running ?? 0) < total) await sleep(20);
}

async function usedBytes({ redis }: Place): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
}
