import { randomUUID } from 'node:crypto';
import { startChild } from '../../../src/cli/processes/children.ts';
import { createProducer } from '../../../src/producer/create-producer.ts';
import type { Producer } from '../../../src/producer/producer.ts';
import { loadConfiguration } from '../../../src/shared/runtime/configuration.ts';
import { startRedisServer } from '../../../tools/redis-server.ts';
import { randomOf } from '../random.ts';
import { Cases } from './cases.ts';
import { Fleet } from './fleet.ts';
import { History } from './history.ts';
import { Users } from './users.ts';

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

/** Six workers and two servers with their users, on a Redis and with a provider of their own. */
export interface Deployment {
  fleet: Fleet;
  users: Users;
  history: History;
  cases: Cases;
  producer: Producer;
  simulatorUrl: string;
  /** Stops everything in order. Returns a sentence for each process that did not end well when it was asked to. */
  close(): Promise<string[]>;
}

/** `more`: settings beside the soak's own. */
export async function openDeployment(seed: number, more: Record<string, string> = {}): Promise<Deployment> {
  const redis = await startRedisServer();
  const simulator = await startChild(['simulator', '--port', '0']);
  const env = {
    ...settings,
    ...more,
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
  return {
    fleet,
    users,
    history,
    cases,
    producer,
    simulatorUrl: simulator.address,
    async close() {
      const endings = await fleet.stop();
      await producer.close();
      await simulator.stop();
      await redis.kill();
      return [
        ...fleet.complaints,
        ...endings
          .filter(ending => ending !== 'exit code 0')
          .map(ending => `A process that was asked to stop: ${ending}`),
      ];
    },
  };
}
