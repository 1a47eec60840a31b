import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Queue } from 'bullmq';
import { PgBoss } from 'pg-boss';
import { createProducer } from '../../src/producer/create-producer.ts';
import type { Report, Task } from '../contestants/contestant.ts';
import { type Place, redisCpuMs, type Sample, type Scenario, startProcess } from '../scenario.ts';

const CONCURRENCY = 50;
const POLL_AFTER_MS = 10;
/** A job of `naive` holds its slot for two seconds, so a race of thousands would only measure the waiting. */
const NAIVE_JOBS = 100;

interface Contestant {
  file: string;
  /** A worker that launches and polls. `many` enqueues jobs and returns the seconds that it took. */
  enqueue(task: Task): Promise<number>;
  jobs(place: Place): number;
}

const contestants = {
  headstone: { file: 'headstone', enqueue: enqueueHere, jobs: ({ jobs }) => jobs },
  hops: { file: 'hops', enqueue: enqueueBull, jobs: ({ jobs }) => jobs },
  'hops, our client': { file: 'lean-hops', enqueue: enqueueBull, jobs: ({ jobs }) => jobs },
  'pg-boss': { file: 'pg-boss', enqueue: enqueueBoss, jobs: ({ jobs }) => jobs },
  naive: { file: 'naive', enqueue: enqueueBull, jobs: ({ jobs }) => Math.min(jobs, NAIVE_JOBS) },
} satisfies Record<string, Contestant>;
type Name = keyof typeof contestants;

export const lifecycle: Scenario = {
  name: 'lifecycle',
  about:
    'Jobs from their enqueue to their outcome, by one worker process with 50 launches and 50 polls at once. The provider answers at once.',
  async measure(place, round) {
    const all = Object.keys(contestants) as Name[];
    const names = all.filter(name => name !== 'pg-boss' || place.postgresUrl !== undefined);
    const results = new Map<Name, Result>();
    // Who begins changes, because the machine's speed drifts.
    for (const name of round % 2 === 0 ? names : names.toReversed()) results.set(name, await race(name, place));
    const of = (name: Name) => results.get(name) as Result;
    const sample = (figure: string, pick: (result: Result) => number, name: Name, goal?: string): Sample => ({
      figure,
      ours: pick(of('headstone')),
      against: { name, theirs: pick(of(name)) },
      ...(goal === undefined ? {} : { goal }),
    });
    return [
      sample('jobs done per second', ({ perSecond }) => perSecond, 'hops', '≥ 1.5'),
      sample('jobs done per second', ({ perSecond }) => perSecond, 'hops, our client', '≥ 0.9'),
      ...(results.has('pg-boss') ? [sample('jobs done per second', ({ perSecond }) => perSecond, 'pg-boss')] : []),
      sample('jobs done per second', ({ perSecond }) => perSecond, 'naive'),
      sample('worker CPU per job (ms)', ({ workerMs }) => workerMs, 'hops', '≤ 0.6'),
      sample('worker CPU per job (ms)', ({ workerMs }) => workerMs, 'hops, our client'),
      ...(results.has('pg-boss') ? [sample('worker CPU per job (ms)', ({ workerMs }) => workerMs, 'pg-boss')] : []),
      sample('Redis CPU per job (ms)', ({ redisMs }) => redisMs, 'hops', '≤ 1.2'),
      sample('worker memory (MB)', ({ residentMb }) => residentMb, 'hops'),
      sample('enqueued at once, per second', ({ enqueued }) => enqueued, 'hops', '≥ 0.7'),
    ];
  },
};

interface Result {
  perSecond: number;
  workerMs: number;
  redisMs: number;
  residentMb: number;
  enqueued: number;
}

/** Enqueues the jobs, and measures one worker process and Redis until all jobs are done. */
async function race(name: Name, place: Place): Promise<Result> {
  const { redis, redisUrl, providerUrl, postgresUrl } = place;
  const contestant: Contestant = contestants[name];
  const jobs = contestant.jobs(place);
  const prefix = `{bench-${randomUUID().slice(0, 8)}}`;
  const task: Task = {
    redisUrl,
    providerUrl,
    ...(postgresUrl === undefined ? {} : { postgresUrl }),
    prefix,
    jobs,
    concurrency: CONCURRENCY,
    pollAfterMs: POLL_AFTER_MS,
  };
  const worker = startProcess(`./contestants/${contestant.file}.ts`, [JSON.stringify(task)]);
  try {
    await once(worker, 'message');
    const enqueuedIn = await contestant.enqueue(task);
    const before = await redisCpuMs(redis);
    const startedAt = performance.now();
    worker.send('go');
    const [report] = (await once(worker, 'message')) as [Report & { said: 'done' }];
    const seconds = (performance.now() - startedAt) / 1000;
    return {
      perSecond: jobs / seconds,
      workerMs: report.cpuMs / jobs,
      redisMs: ((await redisCpuMs(redis)) - before) / jobs,
      residentMb: report.residentMb,
      enqueued: jobs / enqueuedIn,
    };
  } finally {
    worker.kill('SIGKILL');
    await redis.flushall();
  }
}

const request = (number: number) => ({ model: 'gpt-5.5', input: `Prompt ${number}: write a report on the tides.` });

async function enqueueHere({ redisUrl, prefix, jobs }: Task): Promise<number> {
  const producer = createProducer({ connection: redisUrl, prefix });
  await producer.ready();
  const many = Array.from({ length: jobs }, (_, number) => ({ request: request(number) }));
  const seconds = await timed(() => producer.enqueueMany(many));
  await producer.close();
  return seconds;
}

async function enqueueBull({ redisUrl, prefix, jobs }: Task): Promise<number> {
  const { hostname: host, port } = new URL(redisUrl);
  const options = { connection: { host, port: Number(port) }, prefix, defaultJobOptions: { removeOnComplete: true } };
  const queue = new Queue('launch', options);
  await queue.waitUntilReady();
  const many = Array.from({ length: jobs }, (_, number) => ({ name: 'launch', data: request(number) }));
  const seconds = await timed(() => queue.addBulk(many));
  await queue.close();
  return seconds;
}

async function enqueueBoss({ postgresUrl, jobs }: Task): Promise<number> {
  const boss = new PgBoss(postgresUrl ?? '');
  await boss.start();
  await boss.createQueue('launch');
  const many = Array.from({ length: jobs }, (_, number) => ({ data: request(number) }));
  const seconds = await timed(() => boss.insert('launch', many));
  await boss.stop();
  return seconds;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}
