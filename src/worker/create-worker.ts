import type { ClientOptions, OpenAI } from 'openai';
import type { Upstream } from '../provider/answers.ts';
import { openUpstream } from '../provider/upstream.ts';
import { HeadstoneError } from '../shared/contract/errors.ts';
import { loadConfiguration } from '../shared/runtime/configuration.ts';
import type { Configuration } from '../shared/runtime/settings.ts';
import { Telemetry } from '../shared/runtime/telemetry.ts';
import type { Connection } from '../shared/store/connection/redis.ts';
import { type QueueName, queueNames } from '../shared/store/lua/work.ts';
import { Store } from '../shared/store/store.ts';
import { Worker } from './worker.ts';

export interface WorkerOptions {
  /** A URL, ioredis options or an ioredis instance (with `maxRetriesPerRequest: null`). Default: REDIS_URL. */
  connection?: Connection;
  /** Default: HEADSTONE_PREFIX. */
  prefix?: string;
  /** The options of `new OpenAI(…)`, or your client. Default: OPENAI_API_KEY and OPENAI_BASE_URL. */
  openai?: ClientOptions | OpenAI | ForeignOpenAI;
  /** How many entries of each queue are handled at once. Default: HEADSTONE_CONCURRENCY. */
  concurrency?: Partial<Record<QueueName, number>>;
  /** The queues to take from. Default: all three. */
  queues?: QueueName[];
  configuration?: Configuration;
  telemetry?: Telemetry;
}

/** A client of another copy of the package: another version, another bundle, or CommonJS. */
export interface ForeignOpenAI {
  withOptions(...options: never[]): unknown;
  get(...request: never[]): unknown;
  post(...request: never[]): unknown;
}

/** Creates a worker. It connects when it is started. Throws `configuration` if a setting is wrong or the key is missing. */
export function createWorker(options: WorkerOptions = {}): Worker {
  const base = options.configuration ?? loadConfiguration(process.env).configuration;
  const configuration = { ...base, concurrency: { ...base.concurrency, ...options.concurrency } };
  const telemetry = options.telemetry ?? new Telemetry();
  if (options.openai === undefined && configuration.openaiApiKey === undefined) throw keyless();
  return new Worker({
    store: new Store({
      connection: options.connection ?? configuration.redisUrl ?? 'redis://127.0.0.1:6379',
      prefix: options.prefix ?? configuration.prefix,
      patience: 'worker',
      configuration,
      telemetry,
    }),
    upstream: upstreamOf(
      options.openai ?? { apiKey: configuration.openaiApiKey, baseURL: configuration.openaiBaseUrl },
      configuration,
    ),
    configuration,
    telemetry,
    queues: options.queues ?? [...queueNames],
  });
}

function upstreamOf(openai: ClientOptions | OpenAI | ForeignOpenAI, { launchTimeoutMs }: Configuration): Upstream {
  try {
    return openUpstream({ openai: openai as ClientOptions | OpenAI, launchTimeoutMs });
  } catch (cause) {
    // The client's constructor complains only about a missing key.
    throw keyless(cause);
  }
}

function keyless(cause?: unknown): HeadstoneError {
  return new HeadstoneError(
    'configuration',
    'A worker needs the provider’s key. Set OPENAI_API_KEY, or give createWorker the option openai with an apiKey.',
    { cause },
  );
}
