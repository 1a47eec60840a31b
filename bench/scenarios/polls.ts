import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { createProducer } from '../../src/producer/create-producer.ts';
import type { Task } from '../contestants/contestant.ts';
import { type Place, type Scenario, startProcess } from '../scenario.ts';

const CONCURRENCY = 50;
const BETWEEN_POLLS_MS = 10;
const MEASURED_MS = 4000;
const RESPONSES = 500;

export const polls: Scenario = {
  name: 'polls',
  about: 'Polls a second of one worker, of responses that never end, beside a loop that only parks and polls.',
  async measure(place) {
    const ours = await pollsPerSecond('headstone', place, async task => {
      const producer = createProducer({ connection: task.redisUrl, prefix: task.prefix });
      await producer.enqueueMany(
        Array.from({ length: RESPONSES }, (_, n) => ({ request: { model: 'endless', input: `Prompt ${n}` } })),
      );
      await producer.close();
    });
    const theirs = await pollsPerSecond('park-and-poll', place, async task => {
      const { hostname: host, port } = new URL(task.redisUrl);
      const queue = new Queue('poll', { connection: { host, port: Number(port) }, prefix: task.prefix });
      await queue.addBulk(
        Array.from({ length: RESPONSES }, (_, n) => ({ name: 'poll', data: { id: `resp_endless_${n}` } })),
      );
      await queue.close();
    });
    return [{ figure: 'polls per second', ours, against: { name: 'park and poll', theirs }, goal: '≥ 0.9' }];
  },
};

async function pollsPerSecond(
  file: string,
  { redis, redisUrl, providerUrl }: Place,
  prepare: (task: Task) => Promise<void>,
): Promise<number> {
  const prefix = `{bench-${file}}`;
  const task: Task = {
    redisUrl,
    providerUrl,
    prefix,
    jobs: Number.MAX_SAFE_INTEGER,
    concurrency: CONCURRENCY,
    pollAfterMs: BETWEEN_POLLS_MS,
  };
  const worker = startProcess(`./contestants/${file}.ts`, [JSON.stringify(task)]);
  try {
    await once(worker, 'message');
    await prepare(task);
    worker.send('go');
    const reads = async () => Number(await (await fetch(`${providerUrl}/reads`)).text());
    // Every response is launched and polled by then.
    const target = (await reads()) + 2 * RESPONSES;
    while ((await reads()) < target) await sleep(50);
    const before = await reads();
    const startedAt = performance.now();
    await sleep(MEASURED_MS);
    return ((await reads()) - before) / ((performance.now() - startedAt) / 1000);
  } finally {
    worker.kill('SIGKILL');
    await redis.flushall();
  }
}
