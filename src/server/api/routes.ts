import type { Producer } from '../../producer/producer.ts';
import type { Configuration } from '../../shared/runtime/settings.ts';
import type { CancellationDriver } from '../../shared/store/cancellation-driver.ts';
import type { KeyRing } from '../access/key-ring.ts';
import { Passthrough } from '../passthrough/passthrough.ts';
import { PlainCreates } from '../upgrade/plain-creates.ts';
import { callbackRoutes } from './callbacks.ts';
import { cancellationRoutes } from './cancellations.ts';
import { createRoute } from './create-response.ts';
import { jobRoutes } from './jobs.ts';
import { launchingRoutes } from './launching.ts';
import { responseRoutes } from './responses.ts';
import type { Api } from './schemas.ts';
import type { StreamReaders } from './stream-readers.ts';
import { wasteRoutes } from './waste.ts';

export interface ApiParts {
  producer: Producer;
  configuration: Configuration;
  driver: CancellationDriver;
  /** Null if nobody signs in. */
  keyRing: KeyRing | null;
  readers: StreamReaders;
}

/** All routes under /v1. */
export async function apiRoutes(
  app: Api,
  { producer, configuration, driver, keyRing, readers }: ApiParts,
): Promise<void> {
  const passthrough = new Passthrough({
    producer,
    configuration,
    severalHaveKeys: keyRing?.holdsSeveralTenants ?? false,
  });
  const parts = { producer, passthrough, readers };
  createRoute(app, { ...parts, plainCreates: new PlainCreates({ ...parts, upgrade: configuration.upgrade }) });
  responseRoutes(app, parts);
  jobRoutes(app, parts);
  wasteRoutes(app, producer);
  cancellationRoutes(app, producer, driver);
  launchingRoutes(app, producer);
  callbackRoutes(app, producer);
  await passthrough.register(app);
}
