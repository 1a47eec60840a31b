import { loadConfiguration } from '../shared/runtime/configuration.ts';
import type { Configuration } from '../shared/runtime/settings.ts';
import { Telemetry } from '../shared/runtime/telemetry.ts';
import type { Connection } from '../shared/store/connection/redis.ts';
import { Store } from '../shared/store/store.ts';
import { Producer } from './producer.ts';

export interface ProducerOptions {
  /** A URL, ioredis options or an ioredis instance, as in BullMQ. Default: REDIS_URL. */
  connection?: Connection;
  /** Default: HEADSTONE_PREFIX. */
  prefix?: string;
  /** Default: read from the environment. */
  configuration?: Configuration;
  /** Where events go. Default: nowhere, because an app has its log already. */
  telemetry?: Telemetry;
}

/** Creates a producer. It connects at its first call. Throws `configuration` if a setting is wrong. */
export function createProducer(options: ProducerOptions = {}): Producer {
  const configuration = options.configuration ?? loadConfiguration(process.env).configuration;
  const telemetry = options.telemetry ?? new Telemetry();
  const store = new Store({
    connection: options.connection ?? configuration.redisUrl ?? 'redis://127.0.0.1:6379',
    prefix: options.prefix ?? configuration.prefix,
    patience: 'caller',
    configuration,
    telemetry,
  });
  return new Producer({ store, configuration, telemetry });
}
