// Fills a deployment with jobs as a team might have them, for the pictures and for looking at the pages.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Producer } from '../src/producer/producer.ts';

const prompts = [
  'Summarise the incident of 2026-11-27 for the board, in ten lines',
  'Translate the safety manual of the tide gauge into Portuguese',
  'Compare the three bids for the dredging of the north basin',
  'Which of these 40 support tickets are about late invoices?',
  'Draft release notes for version 8.2 from the merged pull requests',
  'Extract every date, party and amount from the attached contract',
  'Explain the tides of the Bay of Fundy to a class of ten-year-olds',
  'Write a research report on desalination with reverse osmosis',
  'Classify yesterday’s 1,200 reviews by product and mood',
  'Plan a migration from PostgreSQL 14 to 18 without downtime',
];
const people = ['alice', 'bob', 'nightly-batch', 'carla'];
const reasons = ['wrong prompt', 'duplicate of an earlier job', 'customer withdrew', 'too expensive'];
const tags = [['report'], ['batch', 'nightly', 'eu'], ['support'], ['report', 'board'], []];
const tenants = ['harbour', 'harbour', 'atlas', 'quay'];
const models = ['gpt-5.5', 'gpt-5.5', 'gpt-5-mini', 'o3'];

const at = <Item>(list: Item[], n: number): Item => list[n % list.length] as Item;

/** A request whose run the simulator is told how to play. */
function request(n: number, sim: object) {
  return {
    model: at(models, n),
    input: at(prompts, n * 7),
    instructions: 'Answer in plain language.',
    metadata: { sim: JSON.stringify(sim) },
  };
}

/** Jobs of every kind: finished, cancelled in time and too late, flipped, failed, running and waiting. Resolves to some of their ids. */
export async function fill(producer: Producer, many = 60): Promise<{ flipped: string; running: string; bulk: string }> {
  const options = (n: number) => ({ tenant: at(tenants, n), tags: at(tags, n) });
  const used = (n: number) => ({ input_tokens: 800 + ((n * 373) % 4000), output_tokens: 900 + ((n * 997) % 9000) });
  const quick = Array.from({ length: many }, (_, n) => ({
    request: request(n, {
      duration_ms: 200 + ((n * 131) % 900),
      ...used(n),
      ...(n % 17 === 5 ? { end: 'failed' } : {}),
    }),
    options: options(n),
  }));
  const done = await producer.enqueueMany(quick);
  await Promise.all(done.map(({ id }) => producer.wait(id)));
  const doomed = await producer.enqueueMany(
    Array.from({ length: 8 }, (_, n) => ({
      request: request(n + 1, { duration_ms: 4000 + n * 300, cancel: n % 4 === 3 ? 'honour' : 'flip', ...used(n) }),
      options: options(n + 1),
    })),
  );
  for (const [n, { id }] of doomed.entries()) {
    // The others wait for their launch when they are cancelled.
    if (n < 6) await untilRunning(producer, id);
    await producer.cancel(id, { reason: at(reasons, n), actor: at(people, n) });
  }
  await producer.pauseLaunch(true);
  await producer.enqueueMany(
    Array.from({ length: 40 }, (_, n) => ({
      request: request(n, used(n)),
      options: { tenant: 'atlas', tags: ['batch', 'nightly'] },
    })),
  );
  const { id: bulk } = await producer.cancellations.begin(
    { tag: 'nightly', tenant: 'atlas' },
    { actor: 'bob', reason: 'the batch was withdrawn' },
  );
  await producer.cancellations.run(bulk);
  await producer.pauseLaunch(false);
  const running = await producer.enqueueMany(
    Array.from({ length: 6 }, (_, n) => ({
      request: request(n + 3, { duration_ms: 600_000 + n, ...used(n) }),
      options: options(n),
    })),
  );
  await untilRunning(producer, running.at(-1)?.id ?? '');
  await producer.enqueueMany(
    Array.from({ length: 3 }, (_, n) => ({
      request: { ...request(n + 2, { create: 'no_model' }), model: 'gpt-6-preview' },
      options: { tenant: 'quay', tags: ['handbook'] },
    })),
  );
  return { flipped: doomed[0]?.id ?? '', running: running[0]?.id ?? '', bulk };
}

async function untilRunning(producer: Producer, id: string): Promise<void> {
  while ((await producer.get(id))?.status !== 'running') await sleep(50);
}
