import helmet from '@fastify/helmet';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HeadstoneError } from '../shared/contract/errors.ts';

interface Allowed {
  script?: string;
  style?: string;
}

/** What a page may load and do. It may load only what this server serves, and run no code that a field could bring in. */
function contentPolicy({ script = "'self'", style = "'self'" }: Allowed = {}): string {
  return [
    "default-src 'none'",
    `script-src ${script}`,
    `style-src ${style}`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'self'",
  ].join('; ');
}

/** Allows more to the pages of other packages that need it. */
export function setContentPolicy(scope: FastifyInstance, allowed: Allowed): void {
  const policy = contentPolicy(allowed);
  scope.addHook('onRequest', async (_request, reply) => {
    reply.header('content-security-policy', policy);
  });
}

/** Sets security headers on every answer of a route. */
export async function secureAnswers(app: FastifyInstance): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: false,
    strictTransportSecurity: false,
    // With `no-referrer`, browsers send this server's own forms with the origin `null`.
    referrerPolicy: { policy: 'same-origin' },
  });
  setContentPolicy(app, {});
}

/** Security headers for answers that are made before any hook has run, or by Node itself. */
export const bareHeaders = {
  'content-security-policy': contentPolicy(),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
  'referrer-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/** Node leaves this to us, so that its answer has the headers too. */
export async function assertHost({ headers }: FastifyRequest): Promise<void> {
  if (headers.host === undefined) throw new HeadstoneError('invalid_request', 'The header host is missing.');
}
