import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { Producer } from '../producer/producer.ts';
import { createMetrics } from '../shared/runtime/metrics.ts';
import type { ApiKey, Configuration } from '../shared/runtime/settings.ts';
import type { Telemetry } from '../shared/runtime/telemetry.ts';
import { answerError, errorBody } from './error-answer.ts';
import { healthRoutes } from './health.ts';
import { guardLoopback } from './loopback-guard.ts';
import { recordRoutes } from './records.ts';
import { responseRoutes } from './responses.ts';
import { type Caller, operator, signInWith } from './sign-in.ts';

export interface ServerOptions {
  producer: Producer;
  configuration: Configuration;
  telemetry: Telemetry;
  /** Null: nobody signs in, and only this machine may speak to us. */
  apiKeys: ApiKey[] | null;
  /** 0 takes a free port. */
  port: number;
  /** True listens on every interface although nobody signs in. */
  insecureListen: boolean;
}

export interface RunningServer {
  /** Without /v1. */
  url: string;
  close(): Promise<void>;
}

/** Room for a JSON body around the request that the limit speaks of. */
const BODY_ALLOWANCE_BYTES = 16_384;

/** Stateless: any number of them, side by side. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { producer, configuration, telemetry, port, apiKeys, insecureListen } = options;
  const app = Fastify({
    forceCloseConnections: true,
    bodyLimit: configuration.maxRequestBytes + BODY_ALLOWANCE_BYTES,
    genReqId: () => `req_${randomUUID().replaceAll('-', '')}`,
  });
  app.setErrorHandler(answerError);
  app.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .send(
        errorBody(
          `There is no ${request.method} ${request.url.split('?')[0]} here.`,
          'unknown_url',
          'invalid_request_error',
        ),
      ),
  );
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
  });
  app.decorateRequest('caller', null as unknown as Caller);
  if (apiKeys) app.addHook('onRequest', signInWith(apiKeys));
  else app.addHook('onRequest', asOperator);
  if (!apiKeys && !insecureListen) app.addHook('onRequest', guardLoopback);
  allowEmptyBody(app);

  healthRoutes(app, {
    ready: async () => {
      await producer.list({ limit: 1 });
    },
    lively: async () => true,
    metrics: createMetrics(telemetry, () => producer.depths()),
  });
  responseRoutes(app, producer);
  recordRoutes(app, producer);

  await app.listen({ port, host: apiKeys || insecureListen ? '0.0.0.0' : '127.0.0.1' });
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('The server got no TCP address.');
  return { url: `http://127.0.0.1:${address.port}`, close: () => app.close() };
}

async function asOperator(request: FastifyRequest): Promise<void> {
  request.caller = operator;
}

/** A cancel may come with the JSON header and no body: the openai clients send it so. */
function allowEmptyBody(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else parseJson(request, body as string, done);
  });
}
