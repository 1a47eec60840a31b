import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { inject, onTestFinished } from 'vitest';
import { type Child, type LogLine, startChild } from '../../src/cli/processes/children.ts';
import { createProducer } from '../../src/producer/create-producer.ts';
import { loadConfiguration } from '../../src/shared/runtime/configuration.ts';
import type { SimulatorLedger } from '../../src/simulator/ledger.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { lanesOfSuite } from './lanes.ts';

/** Starts workers as processes that can be killed. The lock is the product's default, because the 15 s depend on it. */
export async function startScene(settings: Record<string, string> = {}) {
  const env = {
    REDIS_URL: inject('redisUrl'),
    HEADSTONE_PREFIX: `{test-${randomUUID().slice(0, 8)}}`,
    HEADSTONE_POLL_MIN_MS: '200',
    HEADSTONE_POLL_MAX_MS: '500',
    HEADSTONE_SETTLE_FIRST_MS: '200',
    HEADSTONE_SETTLE_WINDOW_MS: '2000',
    HEADSTONE_UNKNOWN_GRACE_MS: '500',
    LOG_LEVEL: 'debug',
    ...settings,
  };
  const { configuration } = loadConfiguration({ ...lanesOfSuite, ...env });
  const simulator = await startSimulator({ port: 0 });
  const producer = createProducer({ configuration });
  const redis = new Redis(env.REDIS_URL);
  const children: Child[] = [];
  const lines: LogLine[] = [];
  const listeners = new Set<(line: LogLine) => void>();
  const startWorker = async () => {
    const child = await startChild(['worker'], {
      env: { ...env, OPENAI_BASE_URL: simulator.url, OPENAI_API_KEY: 'any' },
      onLine: line => {
        lines.push(line);
        for (const listener of listeners) listener(line);
      },
    });
    children.push(child);
    return child;
  };
  onTestFinished(async () => {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(children.map(child => child.ended));
    await producer.close();
    await simulator.close();
    const keys = await redis.keys(`${env.HEADSTONE_PREFIX}*`);
    if (keys.length > 0) await redis.unlink(...keys);
    redis.disconnect();
  });
  const logged = (event: string) =>
    new Promise<LogLine>(resolve => {
      const before = lines.find(line => line.event === event);
      if (before) return resolve(before);
      listeners.add(line => line.event === event && resolve(line));
    });
  const ledger = async () => (await (await fetch(new URL('/sim/ledger', simulator.url))).json()) as SimulatorLedger;
  return {
    producer,
    simulator,
    prefix: env.HEADSTONE_PREFIX,
    env: { ...env, OPENAI_BASE_URL: simulator.url, OPENAI_API_KEY: 'any' },
    startWorker,
    logged,
    ledger,
    lines,
  };
}
