import type { Producer } from '../../producer/producer.ts';
import type { Configuration } from '../../shared/runtime/settings.ts';
import type { Telemetry } from '../../shared/runtime/telemetry.ts';
import type { KeyRing } from '../access/key-ring.ts';
import { CancellationDriver } from './cancellation-driver.ts';
import { cancellationRoutes } from './cancellations.ts';
import { createRoute } from './create-response.ts';
import { jobRoutes } from './jobs.ts';
import { Passthrough } from './passthrough.ts';
import { responseRoutes } from './responses.ts';
import type { Api } from './schemas.ts';
import { wasteRoutes } from './waste.ts';

export interface ApiParts {
  producer: Producer;
  configuration: Configuration;
  telemetry: Telemetry;
  /** Null: nobody signs in. */
  keyRing: KeyRing | null;
}

/** Everything under /v1. */
export async function apiRoutes(app: Api, { producer, configuration, telemetry, keyRing }: ApiParts): Promise<void> {
  const passthrough = new Passthrough({
    producer,
    configuration,
    isShared: keyRing?.holdsSeveralTenants ?? false,
  });
  createRoute(app, producer, passthrough);
  responseRoutes(app, producer, passthrough);
  jobRoutes(app, producer);
  wasteRoutes(app, producer);
  const driver = new CancellationDriver(producer, telemetry);
  app.addHook('onClose', () => driver.stop());
  cancellationRoutes(app, producer, driver);
  await passthrough.register(app);
}
