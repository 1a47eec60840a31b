import { createBullBoard } from '@bull-board/api';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Producer } from '../../producer/producer.ts';
import { queueNames } from '../../shared/store/lua/work.ts';
import type { KeyRing } from '../access/key-ring.ts';
import { maySeeBoard } from '../access/permissions.ts';
import { wantsHtml } from '../access/sign-in.ts';
import type { Api } from '../api/schemas.ts';
import { errorBody } from '../error-body.ts';
import { sendErrorPage } from '../pages/error-page.ts';
import { setContentPolicy } from '../security-headers.ts';
import { RecordAdapter } from './record-adapter.ts';

const PATH = '/board';

/** The reads by which the page shows the queues. Its other reads show the Redis and every process that is connected to it. */
const shownReads =
  /^\/api\/queues(\/:queueName\/(:jobId(\/(logs|flow))?|metrics|default-job-options|rate-limit|job-data-schema))?$/;

/** Bull Board's page loads a font from another server. */
const foreignFonts = /<link href="https:\/\/fonts\.googleapis\.com[^<>]*>/;

/** Bull Board has no place for a link that is always in sight. */
const wayBack = (basePath: string) =>
  `<a href="${basePath}/" style="position:fixed;left:16px;bottom:44px;z-index:99;color:inherit;font:14px system-ui,sans-serif">← Headstone</a>`;

/** Bull Board on the four queues. Admins may use it; if all jobs belong to one tenant, that tenant may see it. */
export async function boardRoutes(app: Api, producer: Producer, keyRing: KeyRing | null): Promise<void> {
  const serverAdapter = new FastifyAdapter();
  serverAdapter.setBasePath(PATH);
  createBullBoard({
    queues: queueNames.map(name => new RecordAdapter(name, producer.store)),
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
        // A 401 has no caller.
        statusCode !== 200 || caller.admin ? payload : asReadOnly(payload),
      );
      scope.addHook('onSend', async ({ basePath }, reply, payload) =>
        // Its JSON holds what tenants have named.
        typeof payload === 'string' && String(reply.getHeader('content-type')).startsWith('text/html')
          ? payload.replace(foreignFonts, '').replace('</body>', `${wayBack(basePath)}</body>`)
          : payload,
      );
      await scope.register(serverAdapter.registerPlugin());
    },
    { prefix: PATH },
  );
}

/** The board shows the jobs of all tenants, and its buttons work on all of them (I12). */
function refuseOthersWith(keyRing: KeyRing | null, producer: Producer) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const { caller, method, routeOptions } = request;
    // The route decides, and not the URL, which can be spelled in many ways.
    const route = routeOptions.url?.slice(PATH.length) ?? '';
    const isLook = method === 'GET' && (!route.startsWith('/api/') || shownReads.test(route));
    if (caller.admin || (isLook && (await maySeeBoard(caller, producer, keyRing)))) return undefined;
    const sentence = isLook
      ? 'The board shows the jobs of all tenants, so it needs an admin key. Your own jobs are at /jobs.'
      : 'Changing something on the board needs an admin key.';
    reply.code(403);
    if (wantsHtml(request)) return sendErrorPage(request, reply, 403, sentence);
    return reply.send(errorBody(sentence, 'insufficient_permissions', 'invalid_request_error'));
  };
}

/** Turns the buttons off that would be refused. */
function asReadOnly(payload: unknown): unknown {
  const { queues, queue } = payload as { queues?: object[]; queue?: object };
  if (Array.isArray(queues))
    return { ...(payload as object), queues: queues.map(one => ({ ...one, readOnlyMode: true })) };
  if (queue) return { ...(payload as object), queue: { ...queue, readOnlyMode: true } };
  return payload;
}
