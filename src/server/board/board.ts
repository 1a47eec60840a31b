import { createBullBoard } from '@bull-board/api';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Producer } from '../../producer/producer.ts';
import type { KeyRing } from '../access/key-ring.ts';
import { isPerson } from '../access/sign-in.ts';
import type { Api } from '../api/schemas.ts';
import { errorBody } from '../error-answer.ts';
import { messagePage } from '../pages/layout.ts';
import { setContentPolicy } from '../security-headers.ts';
import { RecordAdapter } from './record-adapter.ts';

const PATH = '/board';

/** What the page reads to show the queues. Its other reads tell of the Redis and of every process that is connected to it. */
const shownReads =
  /^\/api\/queues(\/:queueName\/(:jobId(\/(logs|flow))?|metrics|default-job-options|rate-limit|job-data-schema))?$/;

/** Bull Board's page asks a font of a foreign server; nothing of ours does. */
const foreignFonts = /<link href="https:\/\/fonts\.googleapis\.com[^>]*>/;

/** Bull Board on the three queues: for admins, and to look at where all keys are of one tenant. */
export async function boardRoutes(app: Api, producer: Producer, keyRing: KeyRing | null): Promise<void> {
  const serverAdapter = new FastifyAdapter();
  serverAdapter.setBasePath(PATH);
  createBullBoard({
    queues: producer.queues.map(queue => new RecordAdapter(queue, producer.store)),
    serverAdapter,
    options: {
      uiConfig: {
        boardTitle: 'Headstone',
        favIcon: { default: '../assets/icon.svg', alternative: '../assets/icon.svg' },
        boardLogo: { path: '../assets/icon.svg', width: 24, height: 24 },
        miscLinks: [
          { text: 'Jobs', url: '../jobs' },
          { text: 'Waste', url: '../waste' },
        ],
        hideDocsLink: true,
        sortQueues: true,
      },
    },
  });

  await app.register(
    async scope => {
      setContentPolicy(scope, { style: "'self' 'unsafe-inline'" });
      scope.addHook('onRequest', refuseOthersWith(keyRing, producer));
      scope.addHook('preSerialization', async ({ caller }, { statusCode }, payload) =>
        // An answer of 401 has no caller yet.
        statusCode !== 200 || caller.admin ? payload : asReadOnly(payload),
      );
      scope.addHook('onSend', async (_request, _reply, payload) =>
        typeof payload === 'string' ? payload.replace(foreignFonts, '') : payload,
      );
      await scope.register(serverAdapter.registerPlugin());
    },
    { prefix: PATH },
  );
}

/** The queues hold the jobs of all tenants, and their buttons work on all of them (I12). */
function refuseOthersWith(keyRing: KeyRing | null, producer: Producer) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const { caller, method, routeOptions } = request;
    // By the route that was found, and not by the URL: that can be spelled in many ways.
    const route = routeOptions.url?.slice(PATH.length) ?? '';
    const isLook = method === 'GET' && (!route.startsWith('/api/') || shownReads.test(route));
    if (caller.admin) return undefined;
    if (isLook && !keyRing?.holdsSeveralTenants && (await producer.ownsEverything(caller.tenant))) return undefined;
    const sentence = isLook
      ? 'The board shows the jobs of all tenants, so it needs an admin key. Your own jobs are at /jobs.'
      : 'To change something on the board needs an admin key.';
    reply.code(403);
    if (isPerson(request))
      return reply.type('text/html; charset=utf-8').send(messagePage(caller, 'Not yours to see', sentence));
    return reply.send(errorBody(sentence, 'insufficient_permissions', 'invalid_request_error'));
  };
}

/** The page offers no button that would be refused. */
function asReadOnly(payload: unknown): unknown {
  const { queues, queue } = payload as { queues?: object[]; queue?: object };
  if (Array.isArray(queues))
    return { ...(payload as object), queues: queues.map(one => ({ ...one, readOnlyMode: true })) };
  if (queue) return { ...(payload as object), queue: { ...queue, readOnlyMode: true } };
  return payload;
}
