import { Queue } from 'bullmq';
import { createProducer } from '../../src/producer/create-producer.ts';
import type { Scenario } from '../scenario.ts';

export const enqueue: Scenario = {
  name: 'enqueue',
  about: 'Jobs enqueued one after the other, each once the one before is accepted.',
  async measure({ redis, redisUrl, jobs }) {
    const producer = createProducer({ connection: redisUrl, prefix: '{bench-enqueue}' });
    const { hostname: host, port } = new URL(redisUrl);
    const queue = new Queue('launch', { connection: { host, port: Number(port) }, prefix: '{bench-add}' });
    await Promise.all([producer.ready(), queue.waitUntilReady()]);
    const request = (number: number) => ({ model: 'gpt-5.5', input: `Prompt ${number}` });
    const ours = await perSecond(jobs, number => producer.enqueue(request(number)));
    const theirs = await perSecond(jobs, number => queue.add('launch', request(number)));
    await Promise.all([producer.close(), queue.close()]);
    await redis.flushall();
    return [{ figure: 'enqueued one by one, per second', ours, against: { name: 'add', theirs }, goal: '≥ 0.8' }];
  },
};

async function perSecond(jobs: number, enqueueOne: (number: number) => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  for (let number = 0; number < jobs; number += 1) await enqueueOne(number);
  return jobs / ((performance.now() - startedAt) / 1000);
}
