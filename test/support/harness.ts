import { randomUUID } from 'node:crypto';
import { Cluster, type ClusterNode, Redis } from 'ioredis';
import type { OpenAI } from 'openai';
import { inject, onTestFinished } from 'vitest';
import { createProducer } from '../../src/producer/create-producer.ts';
import type { Producer } from '../../src/producer/producer.ts';
import type { EventFields, EventName } from '../../src/shared/contract/events.ts';
import { loadConfiguration } from '../../src/shared/runtime/configuration.ts';
import { parseRedisUrl } from '../../src/shared/runtime/redis-url.ts';
import type { Configuration } from '../../src/shared/runtime/settings.ts';
import { Telemetry } from '../../src/shared/runtime/telemetry.ts';
import type { SimulatorLedger } from '../../src/simulator/ledger.ts';
import type { Script } from '../../src/simulator/script.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import type { WebhookTarget } from '../../src/simulator/webhooks.ts';
import { createWorker } from '../../src/worker/create-worker.ts';
import type { Worker } from '../../src/worker/worker.ts';
import { lanesOfSuite } from './lanes.ts';

/** Settings with short durations. */
const quick = {
  HEADSTONE_POLL_MIN_MS: '50',
  HEADSTONE_POLL_MAX_MS: '200',
  HEADSTONE_POLLS_PER_SECOND: '1000',
  HEADSTONE_SETTLE_FIRST_MS: '150',
  HEADSTONE_SETTLE_WINDOW_MS: '2000',
  HEADSTONE_UNKNOWN_GRACE_MS: '300',
  // A busy machine answers late, and a test that wants a create without an answer says how long it waits.
  HEADSTONE_LAUNCH_TIMEOUT_MS: '10000',
  HEADSTONE_LOCK_MS: '2000',
};

export interface HarnessOptions {
  env?: Record<string, string>;
  workers?: number;
  /** The default is a new prefix. */
  prefix?: string;
  /** The address of the store. The default is a direct connection. */
  redisUrl?: string;
  /** The provider's base URL. The default is a new simulator's. */
  upstreamUrl?: string;
  apiKey?: string;
  /** Where the simulator sends webhooks. */
  webhooks?: WebhookTarget;
  /** Divides the simulator's durations. */
  speed?: number;
  /** Makes the client of an app for the provider's base URL. The default is plain options. */
  openai?: (baseURL: string) => OpenAI;
}

export interface Harness {
  producer: Producer;
  worker: Worker;
  simulator: Simulator;
  telemetry: Telemetry;
  configuration: Configuration;
  prefix: string;
  redisUrl: string;
  redis: Redis;
  /** The prefix of the keys of the lane that has this job. */
  prefixOf(id: string): Promise<string>;
  /** The prefixes of all lanes. */
  prefixes(): Promise<string[]>;
  /** Every event so far, in order. */
  events: { name: EventName; fields: Record<string, unknown> }[];
  /** Resolves with an event of the past or of the future. */
  happened<Name extends EventName>(
    name: Name,
    matches?: (fields: EventFields<Name>) => boolean,
  ): Promise<EventFields<Name>>;
  simulatorLedger(): Promise<SimulatorLedger>;
  startWorker(): Promise<Worker>;
}

/** Starts a simulator, a producer and workers under a new prefix, whose keys stay behind if the test fails. */
export async function startHarness(options: HarnessOptions = {}): Promise<Harness> {
  const prefix = options.prefix ?? `{test-${randomUUID().slice(0, 8)}}`;
  const redisUrl = options.redisUrl ?? inject('redisUrl');
  const { configuration } = loadConfiguration({ ...lanesOfSuite, ...quick, ...options.env });
  const telemetry = new Telemetry();
  const events: Harness['events'] = [];
  telemetry.subscribe(event => events.push(event));
  const simulator = await startSimulator({ port: 0, speed: options.speed ?? 1, webhooks: options.webhooks });
  const producer = createProducer({ connection: redisUrl, prefix, configuration, telemetry });
  const redis = directly(redisUrl);
  const workers: Worker[] = [];
  const baseURL = options.upstreamUrl ?? simulator.url;
  const startWorker = async () => {
    const worker = createWorker({
      connection: redisUrl,
      prefix,
      configuration,
      telemetry,
      openai: options.openai?.(baseURL) ?? { apiKey: options.apiKey ?? 'simulated', baseURL },
    });
    workers.push(worker);
    await worker.start();
    return worker;
  };
  for (let number = 0; number < (options.workers ?? 1); number += 1) await startWorker();

  onTestFinished(async ({ task }) => {
    await Promise.all(workers.map(worker => worker.close()));
    await producer.close();
    await simulator.close();
    if (task.result?.state === 'pass') await deleteKeys(redis, prefix);
    redis.disconnect();
  });
  return {
    producer,
    worker: workers[0] as Worker,
    simulator,
    telemetry,
    configuration,
    prefix,
    redisUrl,
    redis,
    prefixOf: async id => (await producer.store.laneOf(id)).keys.prefix,
    prefixes: async () => (await producer.store.allLanes()).map(({ keys }) => keys.prefix),
    events,
    startWorker,
    happened: (name, matches) => happened(telemetry, events, name, matches),
    simulatorLedger: async () => (await (await fetch(new URL('/sim/ledger', simulator.url))).json()) as SimulatorLedger,
  };
}

function happened<Name extends EventName>(
  telemetry: Telemetry,
  events: Harness['events'],
  name: Name,
  matches: (fields: EventFields<Name>) => boolean = () => true,
): Promise<EventFields<Name>> {
  const before = events.find(event => event.name === name && matches(event.fields as EventFields<Name>));
  if (before) return Promise.resolve(before.fields as EventFields<Name>);
  return new Promise(resolve => {
    const stop = telemetry.subscribe(event => {
      if (event.name !== name || !matches(event.fields as EventFields<Name>)) return;
      stop();
      resolve(event.fields as EventFields<Name>);
    });
  });
}

/** A direct connection, even where the others use a proxy, to the same database. In a cluster it is a connection to all nodes. */
function directly(redisUrl: string): Redis {
  const nodes = parseRedisUrl(redisUrl)?.hosts ?? [];
  // Its nodes may be killed by the test. Without a listener each failure would be printed.
  if (nodes.length > 1) return new Cluster(nodes as ClusterNode[]).on('error', () => {}) as unknown as Redis;
  return new Redis(new URL(new URL(redisUrl).pathname, inject('redisUrl')).href);
}

async function deleteKeys(redis: Redis, prefix: string): Promise<void> {
  // A cluster of a test ends with it.
  if ('isCluster' in redis && redis.isCluster) return;
  for await (const keys of redis.scanStream({ match: `${prefix.slice(0, -1)}*`, count: 1000 }))
    if ((keys as string[]).length > 0) await redis.unlink(...(keys as string[]));
}

/** A request with a script for the simulator. */
export function scripted(script: Partial<Script> = {}, input = 'Write about tides') {
  return { model: 'gpt-5.5', input, metadata: { sim: JSON.stringify({ create_ms: 0, duration_ms: 100, ...script }) } };
}
