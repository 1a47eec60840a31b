import { randomUUID } from 'node:crypto';
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import Fastify from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import type { Producer } from '../producer/producer.ts';
import { parseInput } from '../shared/contract/errors.ts';
import { createMetrics } from '../shared/runtime/metrics.ts';
import type { ApiKey, Configuration } from '../shared/runtime/settings.ts';
import type { Telemetry } from '../shared/runtime/telemetry.ts';
import { Sessions } from '../shared/store/sessions.ts';
import { type Caller, KeyRing } from './access/key-ring.ts';
import { guardLoopback } from './access/loopback-guard.ts';
import { asOperator, signInWith } from './access/sign-in.ts';
import { CancellationDriver } from './api/cancellation-driver.ts';
import { apiRoutes } from './api/routes.ts';
import type { Api } from './api/schemas.ts';
import { asOwnPath } from './azure-paths.ts';
import { boardRoutes } from './board/board.ts';
import { setContentPolicy } from './content-policy.ts';
import { answerBadUrl, answerErrorWith, answerUnknownUrl } from './error-answer.ts';
import { healthRoutes } from './health.ts';
import { BODY_ALLOWANCE_BYTES, MOST_HEADER_BYTES, REQUEST_MS, readBodies } from './limits.ts';
import { describeApi } from './openapi.ts';
import { pageRoutes } from './pages/routes.ts';

export interface AppOptions {
  producer: Producer;
  configuration: Configuration;
  telemetry: Telemetry;
  /** Null: nobody signs in, and only this machine may speak to us. */
  apiKeys: ApiKey[] | null;
  /** True serves every interface although nobody signs in. */
  insecureListen: boolean;
}

/** The whole front door, not yet listening. */
export async function buildApp(options: AppOptions): Promise<Api> {
  const { producer, configuration, telemetry, apiKeys, insecureListen } = options;
  const app: Api = Fastify({
    forceCloseConnections: true,
    bodyLimit: configuration.maxRequestBytes + BODY_ALLOWANCE_BYTES,
    requestTimeout: REQUEST_MS,
    http: { maxHeaderSize: MOST_HEADER_BYTES },
    rewriteUrl: request => asOwnPath(request.url ?? '/'),
    frameworkErrors: answerBadUrl,
    genReqId: () => `req_${randomUUID().replaceAll('-', '')}`,
  }).withTypeProvider<ZodTypeProvider>();
  app.setErrorHandler(answerErrorWith(telemetry));
  app.setNotFoundHandler(answerUnknownUrl);
  app.setValidatorCompiler(({ schema }) => checkWith(schema as unknown as z.ZodType));
  // What we send is typed by the same schemas; to check it once more would only cost.
  app.setSerializerCompiler(() => data => JSON.stringify(data));
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  app.addHook('onResponse', async (request, reply) => {
    telemetry.emit('request_answered', {
      request_id: request.id,
      method: request.method,
      // The pattern and not the URL: that could hold anything (I13).
      route: request.routeOptions.url ?? '',
      http_status: reply.statusCode,
      took_ms: Math.round(reply.elapsedTime),
    });
  });
  await app.register(helmet, {
    contentSecurityPolicy: false,
    strictTransportSecurity: false,
    // Not `no-referrer`: browsers then send our own forms with the origin `null`.
    referrerPolicy: { policy: 'same-origin' },
  });
  setContentPolicy(app, {});
  await app.register(cookie);

  app.decorateRequest('caller', null as unknown as Caller);
  const sessions = new Sessions(producer.store);
  const keyRing = apiKeys && new KeyRing(apiKeys);
  if (keyRing) app.addHook('onRequest', signInWith(keyRing, sessions));
  else app.addHook('onRequest', asOperator);
  if (!keyRing && !insecureListen) app.addHook('onRequest', guardLoopback);
  readBodies(app);

  healthRoutes(app, {
    ready: async () => {
      await producer.list({ limit: 1 });
    },
    lively: async () => true,
    metrics: createMetrics(telemetry, () => producer.depths()),
  });
  await describeApi(app);
  const driver = new CancellationDriver(producer, telemetry);
  app.addHook('onClose', () => driver.stop());
  await apiRoutes(app, { producer, configuration, driver, keyRing });
  await pageRoutes(app, { producer, driver, sessions, keyRing });
  await boardRoutes(app, producer, keyRing);
  return app;
}

/** Fastify's validators answer with a value or an error; ours says in a sentence what is wrong. */
function checkWith(schema: z.ZodType) {
  return (data: unknown) => {
    try {
      return { value: parseInput(schema, data) };
    } catch (error) {
      return { error: error as Error };
    }
  };
}
