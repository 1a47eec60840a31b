import { setTimeout as sleep } from 'node:timers/promises';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { HeadstoneError, publicMessage } from '../shared/contract/errors.ts';
import { answerBadHttp, answerBadUrl } from './error-answer.ts';
import { EVERYWHERE, listen } from './listen.ts';
import { bareHeaders } from './security-headers.ts';

export interface HealthParts {
  /**
   * Rejects while this process cannot do its work, and else says in sentences what hinders it. A write, because a replica
   * and a full disk answer reads as ever.
   */
  ready(): Promise<string[]>;
  /** False when a restart would help. */
  lively(): Promise<boolean>;
  metrics: Registry;
}

const PROBE_MS = 1000;

/** The three endpoints of every process, for probes and scrapers: no key. */
export function healthRoutes(app: FastifyInstance, { ready, lively, metrics }: HealthParts): void {
  app.get('/healthz', async (_request, reply) => {
    // A store that is away is not mended by a restart of this process.
    const alive = await within(lively()).catch(() => true);
    return reply.code(alive ? 200 : 503).send({ status: alive ? 'ok' : 'consumes nothing although there is work' });
  });

  app.get('/readyz', async (request, reply) => {
    try {
      const obstacles = await within(ready());
      return { status: 'ok', ...(obstacles.length > 0 ? { obstacles } : {}) };
    } catch (error) {
      // Only the operator is told where the store is.
      const isOperator = request.caller?.admin === true && error instanceof Error;
      return reply.code(503).send({ status: isOperator ? error.message : publicMessage(error) });
    }
  });

  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await within(metrics.metrics())));
}

/** A probe that hangs is worse than one that fails: a worker's connection waits for a store that is away. */
async function within<Answer>(answer: Promise<Answer>): Promise<Answer> {
  const timer = new AbortController();
  const late = sleep(PROBE_MS, undefined, { signal: timer.signal }).then(() => {
    throw new HeadstoneError('store_unreachable', `The store has not answered within ${PROBE_MS} ms.`);
  });
  late.catch(() => {});
  answer.catch(() => {});
  return await Promise.race([answer, late]).finally(() => timer.abort());
}

export interface RunningHealth {
  url: string;
  close(): Promise<void>;
}

/** Health and metrics alone, on every interface, for a process that serves nothing else. */
export async function startHealthServer(
  { port, host = EVERYWHERE }: { port: number; host?: string | undefined },
  parts: HealthParts,
): Promise<RunningHealth> {
  const app = Fastify({
    forceCloseConnections: true,
    frameworkErrors: answerBadUrl,
    clientErrorHandler: answerBadHttp,
  });
  app.addHook('onRequest', async (_request, reply) => void reply.headers(bareHeaders));
  healthRoutes(app, parts);
  return { url: await listen(app, port, host), close: () => app.close() };
}
