import { Queue } from 'bullmq';
import { createProducer } from '../../src/producer/create-producer.ts';
import type { Scenario } from '../scenario.ts';

/** A producer lives for weeks, so the first calls of either side are not counted. Node translates until the 12,000th or so. */
const WARM_UP_TIMES = 6;
/** The two take turns, because the machine's speed drifts. */
const TURN = 100;

export const enqueue: Scenario = {
  name: 'enqueue',
  about:
    'Jobs enqueued one after the other, each once the one before is accepted, in turns of 100, after six times as many that are not counted.',
  async measure({ redis, redisUrl, jobs }) {
    const producer = createProducer({ connection: redisUrl, prefix: '{bench-enqueue}' });
    const { hostname: host, port } = new URL(redisUrl);
    const queue = new Queue('launch', { connection: { host, port: Number(port) }, prefix: '{bench-add}' });
    await Promise.all([producer.ready(), queue.waitUntilReady()]);
    const request = (number: number) => ({ model: 'gpt-5.5', input: `Prompt ${number}` });
    const ours = (number: number) => producer.enqueue(request(number));
    const theirs = (number: number) => queue.add('launch', request(number));
    await msOf(jobs * WARM_UP_TIMES, ours);
    await msOf(jobs * WARM_UP_TIMES, theirs);
    let [done, oursMs, theirsMs] = [0, 0, 0];
    for (; done < jobs; done += TURN) {
      oursMs += await msOf(TURN, ours);
      theirsMs += await msOf(TURN, theirs);
    }
    await Promise.all([producer.close(), queue.close()]);
    await redis.flushall();
    const perSecond = (ms: number) => (done / ms) * 1000;
    return [
      {
        figure: 'enqueued one by one, per second',
        ours: perSecond(oursMs),
        against: { name: 'add', theirs: perSecond(theirsMs) },
        goal: '≥ 0.8',
      },
    ];
  },
};

async function msOf(jobs: number, enqueueOne: (number: number) => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  for (let number = 0; number < jobs; number += 1) await enqueueOne(number);
  return performance.now() - startedAt;
}
