import cookie from '@fastify/cookie';
import type { Producer } from '../producer/producer.ts';
import { obstaclesIn } from '../shared/contract/depths.ts';
import { createMetrics } from '../shared/runtime/metrics.ts';
import type { ApiKey } from '../shared/runtime/setting-formats.ts';
import type { Configuration } from '../shared/runtime/settings.ts';
import type { Telemetry } from '../shared/runtime/telemetry.ts';
import { CancellationDriver } from '../shared/store/cancellation-driver.ts';
import { Sessions } from '../shared/store/sessions.ts';
import { KeyRing } from './access/key-ring.ts';
import { guardLoopback } from './access/loopback-guard.ts';
import { asOperator, signInWith } from './access/sign-in.ts';
import { apiRoutes } from './api/routes.ts';
import type { Api } from './api/schemas.ts';
import { StreamReaders } from './api/stream-readers.ts';
import { underBasePath } from './base-path.ts';
import { boardRoutes } from './board/board.ts';
import { healthRoutes } from './health.ts';
import { describeApi } from './openapi.ts';
import { pageRoutes } from './pages/routes.ts';
import { openRouter } from './router.ts';
import { assertHost, secureAnswers } from './security-headers.ts';
import { webhookRoutes } from './webhooks/routes.ts';

export interface AppOptions {
  producer: Producer;
  configuration: Configuration;
  telemetry: Telemetry;
  /** Null if nobody signs in. Then only programs on this machine may use the server. */
  apiKeys: ApiKey[] | null;
  /** True serves every interface even if nobody signs in. */
  insecureListen: boolean;
}

/** Builds the server with all of its routes. It does not listen yet. */
export async function buildApp(options: AppOptions): Promise<Api> {
  const { producer, configuration, telemetry, apiKeys, insecureListen } = options;
  const app = openRouter(configuration, telemetry);
  await secureAnswers(app);
  app.addHook('onRequest', assertHost);
  underBasePath(app, configuration.basePath);
  await app.register(cookie);

  const sessions = new Sessions(producer.store);
  const keyRing = apiKeys && new KeyRing(apiKeys);
  if (keyRing) app.addHook('onRequest', signInWith(keyRing, sessions));
  else app.addHook('onRequest', asOperator);
  if (!keyRing && !insecureListen) app.addHook('onRequest', guardLoopback);

  const readers = new StreamReaders(configuration.streamReaders);
  healthRoutes(app, {
    ready: async () => obstaclesIn(await producer.depths()),
    lively: async () => true,
    metrics: createMetrics(telemetry, () => producer.depths(), { streamReaders: readers }),
  });
  await describeApi(app);
  const driver = new CancellationDriver((id, signal) => producer.cancellations.run(id, signal), telemetry);
  app.addHook('onClose', () => driver.stop());
  await apiRoutes(app, { producer, configuration, driver, keyRing, readers });
  if (configuration.openaiWebhookSecrets) await webhookRoutes(app, producer, configuration.openaiWebhookSecrets);
  await pageRoutes(app, { producer, driver, sessions, keyRing });
  await boardRoutes(app, producer, keyRing);
  return app;
}
