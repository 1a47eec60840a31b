import { randomUUID } from 'node:crypto';
import Fastify from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { parseInput } from '../shared/contract/errors.ts';
import type { Configuration } from '../shared/runtime/settings.ts';
import type { Telemetry } from '../shared/runtime/telemetry.ts';
import type { Caller } from './access/key-ring.ts';
import type { Api } from './api/schemas.ts';
import { withoutBasePath } from './base-path.ts';
import {
  answerBadHttp,
  answerBadUrlUnder,
  answerErrorWith,
  answerExpectation,
  answerUnknownUrl,
} from './error-answer.ts';
import { BODY_ALLOWANCE_BYTES, MOST_HEADER_BYTES, REQUEST_MS, readBodies, SILENCE_MS } from './limits.ts';
import { ownUrl } from './own-url.ts';

const LONGEST_PARAM = 4096;

/** A router without routes that checks by zod and answers errors in OpenAI's shape. The server and createFetch use it. */
export function openRouter(configuration: Configuration, telemetry: Telemetry): Api {
  const app: Api = Fastify({
    forceCloseConnections: true,
    bodyLimit: configuration.maxRequestBytes + BODY_ALLOWANCE_BYTES,
    requestTimeout: REQUEST_MS,
    connectionTimeout: SILENCE_MS,
    // Node would answer a request without a host by itself, and without our headers.
    http: { maxHeaderSize: MOST_HEADER_BYTES, requireHostHeader: false },
    // Some gateways' ids have hundreds of characters, and a URL may encode each as three.
    routerOptions: { maxParamLength: LONGEST_PARAM },
    rewriteUrl: request => ownUrl(withoutBasePath(request.url ?? '/', configuration.basePath)),
    trustProxy: configuration.trustedProxies,
    frameworkErrors: answerBadUrlUnder(configuration.basePath),
    clientErrorHandler: answerBadHttp,
    genReqId: () => `req_${randomUUID().replaceAll('-', '')}`,
  }).withTypeProvider<ZodTypeProvider>();
  app.setErrorHandler(answerErrorWith(telemetry));
  app.setNotFoundHandler(answerUnknownUrl);
  app.setValidatorCompiler(({ schema }) => checkWith(schema as unknown as z.ZodType));
  // TypeScript checks the answers by the same schemas, so checking them again would only cost time.
  app.setSerializerCompiler(() => data => JSON.stringify(data));
  app.decorateRequest('caller', null as unknown as Caller);
  app.server.on('checkExpectation', answerExpectation);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  app.addHook('onResponse', async (request, reply) => {
    telemetry.emit('request_answered', {
      request_id: request.id,
      method: request.method,
      // This is the route's pattern, because the URL could hold anything (I13).
      route: request.routeOptions.url ?? '',
      http_status: reply.statusCode,
      took_ms: Math.round(reply.elapsedTime),
    });
  });
  readBodies(app, configuration.maxRequestBytes);
  return app;
}

/** A validator for Fastify whose error says in a sentence what is wrong. */
function checkWith(schema: z.ZodType) {
  return (data: unknown) => {
    try {
      return { value: parseInput(schema, data) };
    } catch (error) {
      return { error: error as Error };
    }
  };
}
