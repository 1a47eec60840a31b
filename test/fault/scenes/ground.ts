import { randomBytes, randomUUID } from 'node:crypto';
import { OpenAI } from 'openai';
import { createProducer } from '../../../src/producer/create-producer.ts';
import type { Producer } from '../../../src/producer/producer.ts';
import { loadConfiguration } from '../../../src/shared/runtime/configuration.ts';
import type { Configuration } from '../../../src/shared/runtime/settings.ts';
import { Telemetry, type TelemetryEvent } from '../../../src/shared/runtime/telemetry.ts';
import { deleteKeys } from '../../../src/shared/store/connection/delete-keys.ts';
import type { SimulatorLedger } from '../../../src/simulator/ledger.ts';
import { startSimulator } from '../../../src/simulator/simulator.ts';
import { freePort } from '../../../tools/redis-server.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';

/** The lock is the product's own, because the 15 s depend on it; the rest is short. */
const settings = {
  HEADSTONE_POLL_MIN_MS: '100',
  HEADSTONE_POLL_MAX_MS: '400',
  HEADSTONE_SETTLE_FIRST_MS: '150',
  HEADSTONE_SETTLE_WINDOW_MS: '1500',
  HEADSTONE_UNKNOWN_GRACE_MS: '500',
  HEADSTONE_DISCONNECT_GRACE_MS: '200',
  HEADSTONE_UPGRADE: '1',
  OPENAI_API_KEY: 'any',
};

/** What a deployment stands on, whatever happens to its processes: a prefix, a provider, and the tests' own view of both. */
export interface Ground {
  env: Record<string, string>;
  configuration: Configuration;
  /** The port to which the provider sends webhooks. Nobody may listen there. */
  port: number;
  /** What the workers and servers of this process tell. */
  telemetry: Telemetry;
  told: { at: number; event: TelemetryEvent }[];
  /** The tests' own, on a connection that nothing happens to. */
  producer: Producer;
  ledger(): Promise<SimulatorLedger>;
  /** A client of the provider, as an app without Headstone has it. */
  provider: OpenAI;
  /** Listens for messages to jobs' callbacks. */
  receiver: Receiver;
  /** Call it when no process is left. */
  clear(): Promise<void>;
}

export async function layGround(redisUrl: string, more: Record<string, string> = {}): Promise<Ground> {
  const [receiver, port] = [await startReceiver(), await freePort()];
  const secret = `whsec_${randomBytes(24).toString('base64')}`;
  const webhooks = { url: `http://127.0.0.1:${port}/webhooks/openai`, secret };
  const simulator = await startSimulator({ port: 0, webhooks });
  const env: Record<string, string> = {
    ...settings,
    REDIS_URL: redisUrl,
    HEADSTONE_PREFIX: `{test-${randomUUID().slice(0, 8)}}`,
    HEADSTONE_CALLBACK_HOSTS: receiver.host,
    OPENAI_BASE_URL: simulator.url,
    OPENAI_WEBHOOK_SECRET: secret,
    ...more,
  };
  const { configuration } = loadConfiguration(env);
  const telemetry = new Telemetry();
  const told: Ground['told'] = [];
  telemetry.subscribe(event => told.push({ at: performance.now(), event }));
  const producer = createProducer({ configuration });
  return {
    env,
    configuration,
    port,
    telemetry,
    told,
    producer,
    ledger: async () => (await (await fetch(new URL('/sim/ledger', simulator.url))).json()) as SimulatorLedger,
    provider: new OpenAI({ apiKey: 'any', baseURL: simulator.url, maxRetries: 0 }),
    receiver,
    async clear() {
      await producer.store.ask(redis => deleteKeys(redis, configuration.prefix.replace(/}$/, '')));
      await producer.close();
      await simulator.close();
      receiver.close();
    },
  };
}
