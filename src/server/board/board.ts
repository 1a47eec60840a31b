import { createBullBoard } from '@bull-board/api';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyRequest } from 'fastify';
import type { Producer } from '../../producer/producer.ts';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import type { KeyRing } from '../access/key-ring.ts';
import type { Api } from '../api/schemas.ts';
import { setContentPolicy } from '../content-policy.ts';
import { RecordAdapter } from './record-adapter.ts';

const PATH = '/board';

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
        favIcon: { default: '/assets/icon.svg', alternative: '/assets/icon.svg' },
        boardLogo: { path: '/assets/icon.svg', width: 24, height: 24 },
        miscLinks: [
          { text: 'Jobs', url: '/jobs' },
          { text: 'Waste', url: '/waste' },
        ],
        hideDocsLink: true,
        sortQueues: true,
      },
    },
  });

  await app.register(
    async scope => {
      setContentPolicy(scope, { style: "'self' 'unsafe-inline'" });
      scope.addHook('onRequest', async request => assertMayLook(request, keyRing));
      scope.addHook('preSerialization', async (request, _reply, payload) =>
        request.caller.admin ? payload : asReadOnly(payload),
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
function assertMayLook({ caller, method, url }: FastifyRequest, keyRing: KeyRing | null): void {
  if (caller.admin) return;
  const isLook = method === 'GET' && !url.includes('/api/redis');
  if (isLook && !keyRing?.holdsSeveralTenants) return;
  throw new HeadstoneError(
    'insufficient_permissions',
    isLook
      ? 'The board shows the jobs of all tenants, so it needs an admin key. Your own jobs are at /jobs.'
      : 'To change something on the board needs an admin key.',
  );
}

/** The page offers no button that would be refused. */
function asReadOnly(payload: unknown): unknown {
  const { queues, queue } = payload as { queues?: object[]; queue?: object };
  if (Array.isArray(queues))
    return { ...(payload as object), queues: queues.map(one => ({ ...one, readOnlyMode: true })) };
  if (queue) return { ...(payload as object), queue: { ...queue, readOnlyMode: true } };
  return payload;
}
