import Fastify, { type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { publicMessage } from '../shared/contract/errors.ts';
import { within } from '../shared/runtime/within.ts';
import { answerBadHttp, answerBadUrlUnder } from './error-answer.ts';
import { EVERYWHERE, listen } from './listen.ts';
import { bareHeaders } from './security-headers.ts';

export interface HealthParts {
  /**
   * Says in sentences what hinders this process, and throws while it cannot do its work. It checks by a write, because a replica
   * and a full disk answer reads as usual.
   */
  ready(): Promise<string[]>;
  /** False if a restart would help. */
  lively(): Promise<boolean>;
  metrics: Registry;
}

const PROBE_MS = 1000;

/** The three endpoints of every process, for probes and scrapers. They need no key. */
export function healthRoutes(app: FastifyInstance, { ready, lively, metrics }: HealthParts): void {
  app.get('/healthz', async (_request, reply) => {
    // Restarting this process does not bring a lost store back.
    const alive = await within(PROBE_MS, lively()).catch(() => true);
    return reply.code(alive ? 200 : 503).send({ status: alive ? 'ok' : 'takes no work although entries are waiting' });
  });

  app.get('/readyz', async (request, reply) => {
    try {
      const obstacles = await within(PROBE_MS, ready());
      return { status: 'ok', ...(obstacles.length > 0 ? { obstacles } : {}) };
    } catch (error) {
      // Only the operator may learn where the store is.
      const isOperator = request.caller?.admin === true && error instanceof Error;
      return reply.code(503).send({ status: isOperator ? error.message : publicMessage(error) });
    }
  });

  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.contentType).send(await within(PROBE_MS, metrics.metrics())),
  );
}

export interface RunningHealth {
  url: string;
  close(): Promise<void>;
}

/** Serves only health and metrics, on every interface, for a process that serves nothing else. */
export async function startHealthServer(
  { port, host = EVERYWHERE }: { port: number; host?: string | undefined },
  parts: HealthParts,
): Promise<RunningHealth> {
  const app = Fastify({
    forceCloseConnections: true,
    frameworkErrors: answerBadUrlUnder(''),
    clientErrorHandler: answerBadHttp,
  });
  app.addHook('onRequest', async (_request, reply) => void reply.headers(bareHeaders));
  healthRoutes(app, parts);
  return { url: await listen(app, port, host), close: () => app.close() };
}
