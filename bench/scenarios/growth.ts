import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { createProducer } from '../../src/producer/create-producer.ts';
import type { Lane } from '../../src/shared/store/lane.ts';
import type { Place, Sample, Scenario } from '../scenario.ts';

const MEASURED = 500;
const AT_ONCE = 500;
/** How many jobs wait, or have ended, while others run, in multiples of the race. */
const SIZES = [0.5, 5, 50];

export const growth: Scenario = {
  name: 'growth',
  about:
    'Commands and time of Redis for a job, from its enqueue to its outcome, with many other jobs waiting or ended.',
  isLong: true,
  async measure(place) {
    const samples: Sample[] = [];
    let least: Cost | undefined;
    const sizes = SIZES.map(size => Math.round(size * place.jobs));
    for (const size of sizes) {
      const cost = await costBeside(place, size, enqueueOthers);
      least ??= cost;
      if (cost !== least) samples.push(...compared(`${thousands(size)} waiting`, cost, least, sizes[0] ?? 0));
    }
    const most = sizes.at(-1) ?? 0;
    const ended = await costBeside(place, most, endOthers);
    if (least) samples.push(...compared(`${thousands(most)} ended`, ended, least, sizes[0] ?? 0));
    return samples;
  },
};

interface Cost {
  commands: number;
  us: number;
}

function compared(beside: string, cost: Cost, least: Cost, size: number): Sample[] {
  const name = `${thousands(size)} waiting`;
  return [
    {
      figure: `commands per job, ${beside}`,
      ours: cost.commands,
      against: { name, theirs: least.commands },
      goal: '= 1',
    },
    { figure: `Redis time per job (µs), ${beside}`, ours: cost.us, against: { name, theirs: least.us }, goal: '≤ 1.3' },
  ];
}

async function costBeside(
  { redis, redisUrl }: Place,
  size: number,
  fill: (store: Lane, size: number) => Promise<void>,
): Promise<Cost> {
  const producer = createProducer({ connection: redisUrl, prefix: `{bench-${randomUUID().slice(0, 8)}}` });
  await producer.ready();
  const store = producer.store.home;
  await fill(store, size);
  // Scripts that were not called yet are loaded now, and not in the measurement.
  await live(store, 10);
  await redis.config('RESETSTAT');
  await live(store, MEASURED);
  const cost = await costs(redis);
  await producer.close();
  await redis.flushall();
  return { commands: cost.commands / MEASURED, us: cost.us / MEASURED };
}

/** The commands that ran, also inside scripts, and the time of the scripts. */
async function costs(redis: Redis): Promise<Cost> {
  const stats = await redis.info('commandstats');
  const lines = [...stats.matchAll(/^cmdstat_(\w+):calls=(\d+),usec=(\d+)/gm)];
  return {
    commands: lines.reduce((sum, [, , calls]) => sum + Number(calls), 0),
    us: Number(lines.find(([, name]) => name === 'evalsha')?.[3] ?? 0),
  };
}

async function enqueueOthers(store: Lane, size: number): Promise<void> {
  for (let done = 0; done < size; done += AT_ONCE) await accept(store, Math.min(AT_ONCE, size - done));
}

async function endOthers(store: Lane, size: number): Promise<void> {
  for (let done = 0; done < size; done += AT_ONCE) await live(store, Math.min(AT_ONCE, size - done));
}

async function accept(store: Lane, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => `job_${randomUUID()}`);
  await store.runMany(
    'accept',
    ids.map(id => ({
      given: {
        id,
        tenant: 'default',
        tags: '[]',
        tag_list: [],
        model: 'gpt-5.5',
        fingerprint: 'f'.repeat(64),
        deadline_ms: 86_400_000,
        priority: 0,
        attempts: 1,
        on_unknown: 'fail' as const,
        stream: false,
      },
      body: '{"model":"gpt-5.5","input":"Prompt"}',
    })),
  );
  return ids;
}

/** Takes jobs through their whole life, without a worker and a provider. */
async function live(store: Lane, count: number): Promise<void> {
  const ids = await accept(store, count);
  const intents = await store.runMany(
    'intend',
    ids.map(id => ({ given: { id, token: id, max_in_flight: 1_000_000 } })),
  );
  const launched = ids.map((id, position) => {
    const intent = intents[position];
    if (!intent || intent instanceof Error || intent.reply !== 'intended') throw new Error('A job was not launched.');
    return { id, epoch: intent.epoch, response_id: `resp_${id}` };
  });
  await store.runMany(
    'acknowledge',
    launched.map(job => ({ given: { ...job, first_poll_ms: 600_000, observation: { upstream_status: 'queued' } } })),
  );
  const usage = { input_tokens: 20, output_tokens: 140, total_tokens: 160 };
  const observation = {
    upstream_status: 'completed',
    usage: JSON.stringify(usage),
    ...usage,
    cost_usd_micros: 4300,
    price_table: 'bench',
  };
  await store.runMany(
    'decide',
    launched.map(({ id, response_id }) => ({
      given: { id, response_id, status: 'completed' as const, has_result: true as const, observation },
      body: '{"status":"completed"}',
    })),
  );
}

function thousands(count: number): string {
  return count.toLocaleString('en-US');
}
