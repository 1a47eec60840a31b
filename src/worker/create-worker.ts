import type { ClientOptions, OpenAI } from 'openai';
import { loadConfiguration } from '../shared/runtime/configuration.ts';
import type { Configuration } from '../shared/runtime/settings.ts';
import { Telemetry } from '../shared/runtime/telemetry.ts';
import type { Connection } from '../shared/store/connection/redis.ts';
import { type QueueName, queueNames } from '../shared/store/lua/work.ts';
import { Store } from '../shared/store/store.ts';
import { keyless } from './keyless.ts';
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
  /** The queues to take from. Default: all of them. */
  queues?: QueueName[];
  /** The numbers of the lanes to serve, and those that no other worker serves. Default: all. */
  lanes?: number[];
  configuration?: Configuration;
  telemetry?: Telemetry;
}

/** A client of another copy of the package: another version, another bundle, or CommonJS. */
export interface ForeignOpenAI {
  withOptions(...options: never[]): unknown;
  get(...request: never[]): unknown;
  post(...request: never[]): unknown;
}

/**
 * Creates a worker. It connects, and loads the provider's client, when it is started. Throws `configuration` if there are no
 * options for the client and no OPENAI_API_KEY. If the options lack a key, `start()` throws it.
 */
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
    openai: (options.openai ?? { apiKey: configuration.openaiApiKey, baseURL: configuration.openaiBaseUrl }) as
      | ClientOptions
      | OpenAI,
    configuration,
    telemetry,
    queues: options.queues ?? [...queueNames],
    lanes: options.lanes && new Set(options.lanes),
  });
}
