import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild } from '../../../src/cli/processes/children.ts';
import { createProducer } from '../../../src/producer/create-producer.ts';
import { loadConfiguration } from '../../../src/shared/runtime/configuration.ts';
import { startRedisServer } from '../../../tools/redis-server.ts';
import { randomOf } from '../random.ts';
import { Cases } from './cases.ts';
import { closeBooks } from './close-books.ts';
import { unexplained } from './explain.ts';
import { type Blow, blows, Fleet } from './fleet.ts';
import { History } from './history.ts';
import { orderOf } from './orders.ts';
import { Users } from './users.ts';

export interface SoakOptions {
  minutes: number;
  /** Jobs a second. */
  rate: number;
  seed: number;
  /** Hears how it goes, once in ten seconds. */
  onProgress?(line: string): void;
}

export interface SoakReport extends Pick<SoakOptions, 'minutes' | 'rate' | 'seed'> {
  jobs: number;
  ordered: Record<string, number>;
  blows: Record<Blow, number>;
  cases: Record<string, number>;
  /** Jobs that failed, by the code. */
  failures: Record<string, number>;
  /** How many answers the history has. */
  answers: number;
  /** From the last blow until everything had ended; null if that did not come. */
  endedAfterMs: number | null;
  bytesPerJob: number;
  /** Of users who had no answer after two minutes of trying: the last reason. Their jobs have to end all the same. */
  gaveUp: string[];
  violations: string[];
}

/** Durations are short, so that much happens in a minute. A blow may last longer than a lock. */
const settings = {
  HEADSTONE_LANES: '4',
  HEADSTONE_LOCK_MS: '2000',
  HEADSTONE_POLL_MIN_MS: '200',
  HEADSTONE_POLL_MAX_MS: '1000',
  HEADSTONE_POLLS_PER_SECOND: '1000',
  HEADSTONE_MAX_IN_FLIGHT: '1000',
  HEADSTONE_SETTLE_FIRST_MS: '200',
  HEADSTONE_SETTLE_WINDOW_MS: '5000',
  HEADSTONE_UNKNOWN_GRACE_MS: '2000',
  HEADSTONE_LAUNCH_TIMEOUT_MS: '5000',
  HEADSTONE_DISCONNECT_GRACE_MS: '2000',
  HEADSTONE_UPGRADE: '1',
  HEADSTONE_STREAM_READERS: 'process=5000,tenant=5000',
  HEADSTONE_HEALTH_PORT: '0',
  OPENAI_API_KEY: 'any',
};

/** Two lanes have two workers, and two have one, so that lanes are taken over. */
const workers = ['0', '1', '2', '3', '0', '1'].map((lane, n) => ({
  name: `worker ${n}`,
  kind: 'worker' as const,
  command: ['worker', '--lanes', lane],
}));
const servers = [0, 1].map(n => ({
  name: `server ${n}`,
  kind: 'server' as const,
  command: ['server', '--port', '0'],
}));

const BLOW_EVERY_MS = 1000;
const PROGRESS_EVERY_MS = 10_000;

/** Six workers and two servers under load, of which one is hit each second, and the books afterwards. */
export async function soak({ minutes, rate, seed, onProgress = () => {} }: SoakOptions): Promise<SoakReport> {
  const random = randomOf(seed);
  const redis = await startRedisServer();
  const simulator = await startChild(['simulator', '--port', '0']);
  const env = {
    ...settings,
    OPENAI_BASE_URL: simulator.address,
    HEADSTONE_PREFIX: `{soak-${randomUUID().slice(0, 8)}}`,
  };
  const { configuration } = loadConfiguration({ ...env, REDIS_URL: redis.url });
  const producer = createProducer({ configuration });
  const [cases, history] = [new Cases(), new History()];
  const fleet = new Fleet({
    redisUrl: redis.url,
    env,
    members: [...workers, ...servers],
    onLine: cases.logged,
    onAnswered: cases.answered,
  });
  await fleet.start();
  const users = new Users({
    producer,
    providerUrl: simulator.address,
    servers: () => fleet.servers,
    history,
    random: randomOf(seed + 1),
  });

  const struck = Object.fromEntries(blows.map(blow => [blow, 0])) as Record<Blow, number>;
  const startedAt = performance.now();
  const until = startedAt + minutes * 60_000;
  const orders: Promise<void>[] = [];
  const ordering = (async () => {
    for (let number = 0; performance.now() < until; number += 1) {
      orders.push(users.order(orderOf(number, random)));
      // By the clock, so that a slow moment is made up for.
      await sleep(Math.max(0, startedAt + (number * 1000) / rate - performance.now()));
    }
  })();
  const striking = (async () => {
    while (performance.now() < until) {
      const blow = fleet.strike(random);
      if (blow) struck[blow] += 1;
      await sleep(BLOW_EVERY_MS);
    }
  })();
  const progress = setInterval(() => {
    const left = Math.max(0, Math.round((until - performance.now()) / 1000));
    onProgress(
      `${left} s left; ${orders.length} jobs ordered, ${users.gaveUp.length} users gave up, ${users.complaints.length} complaints.`,
    );
  }, PROGRESS_EVERY_MS);

  await Promise.all([ordering, striking]);
  await fleet.recovered();
  const lastBlowAt = performance.now();
  onProgress('The last blow is over.');
  await Promise.all(orders);
  const books = await closeBooks({ producer, simulatorUrl: simulator.address, sinceMs: lastBlowAt });
  clearInterval(progress);
  cases.add('cancel won', history.told.filter(({ won }) => won).length);
  cases.add('completion won', history.told.filter(({ by, said }) => by === 'a cancel' && said === 'completed').length);
  const endings = await fleet.stop();
  await producer.close();
  await simulator.stop();
  await redis.kill();
  return {
    minutes,
    rate,
    seed,
    jobs: books.jobs,
    ordered: users.ordered,
    blows: struck,
    cases: cases.counts,
    answers: history.told.length,
    failures: books.failures,
    endedAfterMs: books.endedAfterMs,
    bytesPerJob: books.bytesPerJob,
    gaveUp: users.gaveUp,
    violations: [
      ...users.complaints,
      ...fleet.complaints,
      ...unexplained(history),
      ...books.violations,
      ...endings
        .filter(ending => ending !== 'exit code 0')
        .map(ending => `A process that was asked to stop: ${ending}`),
    ],
  };
}
