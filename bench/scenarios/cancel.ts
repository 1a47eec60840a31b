import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createProducer } from '../../src/producer/create-producer.ts';
import { epochMs } from '../clock.ts';
import type { Task } from '../contestants/contestant.ts';
import { quantile, type Scenario, SMALL_HEAP, startProcess } from '../scenario.ts';

const IN_FLIGHT = 5;
const CANCELS = 400;
const AT_ONCE = 1000;
const BETWEEN_MS = 10;
/** The launches are over by then, and only the polls go on. */
const SETTLED_MS = 3000;
const BUDGET_PER_SECOND = 50;

export const cancel: Scenario = {
  name: 'cancel',
  about:
    'A cancel while 10,000 responses run and polls are at their budget: until the caller has the answer, and until the provider hears it. The worker has a heap of 128 MB.',
  async measure({ redis, redisUrl, providerUrl, jobs }) {
    const prefix = '{bench-cancel}';
    const task: Task = {
      redisUrl,
      providerUrl,
      prefix,
      jobs: Number.MAX_SAFE_INTEGER,
      concurrency: 50,
      pollAfterMs: 2000,
      pollMaxMs: 30_000,
      pollsPerSecond: BUDGET_PER_SECOND,
    };
    const worker = startProcess('./contestants/headstone.ts', [JSON.stringify(task)], SMALL_HEAP);
    const producer = createProducer({ connection: redisUrl, prefix });
    try {
      await once(worker, 'message');
      worker.send('go');
      const ids: string[] = [];
      while (ids.length < jobs * IN_FLIGHT) {
        const some = Array.from({ length: AT_ONCE }, () => ({ request: { model: 'endless', input: 'Prompt' } }));
        for (const { id } of await producer.enqueueMany(some)) ids.push(id);
        while (((await producer.depths()).jobs.running ?? 0) < ids.length) await sleep(50);
      }
      await sleep(SETTLED_MS);
      const bare: number[] = [];
      const acknowledged: number[] = [];
      const askedAt = new Map<string, number>();
      const sha = (await redis.script('LOAD', 'return 1')) as string;
      for (const id of ids.slice(0, CANCELS)) {
        bare.push(await took(() => redis.evalsha(sha, 1, prefix)));
        const response = (await producer.get(id))?.response_id ?? '';
        askedAt.set(response, epochMs());
        acknowledged.push(await took(() => producer.cancel(id)));
        await sleep(BETWEEN_MS);
      }
      const heardAfter = await untilHeard(providerUrl, askedAt);
      return [
        {
          figure: 'cancel acknowledged, p99 (ms)',
          ours: quantile(acknowledged, 0.99),
          against: { name: 'bare EVALSHA', theirs: quantile(bare, 0.99) },
          goal: '≤ 2',
        },
        { figure: 'cancel heard by the provider, p50 (ms)', ours: quantile(heardAfter, 0.5), goal: '≤ 5' },
        { figure: 'cancel heard by the provider, p99 (ms)', ours: quantile(heardAfter, 0.99), goal: '≤ 25' },
      ];
    } finally {
      worker.kill('SIGKILL');
      await producer.close();
      await redis.flushall();
    }
  },
};

async function took(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** How long after it was asked for the provider heard each cancel. */
async function untilHeard(providerUrl: string, askedAt: Map<string, number>): Promise<number[]> {
  for (;;) {
    const heard = (await (await fetch(`${providerUrl}/heard`)).json()) as Record<string, number>;
    const after = [...askedAt].flatMap(([id, at]) => (heard[id] === undefined ? [] : [heard[id] - at]));
    if (after.length === askedAt.size) return after;
    await sleep(50);
  }
}
