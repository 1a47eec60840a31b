import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';

interface Allowed {
  script?: string;
  style?: string;
}

/** What a page may load and do: nothing that this server does not serve itself, and no code that a field could bring. */
export function contentPolicy({ script = "'self'", style = "'self'" }: Allowed = {}): string {
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

/** For pages that are not ours and need more. */
export function setContentPolicy(scope: FastifyInstance, allowed: Allowed): void {
  const policy = contentPolicy(allowed);
  scope.addHook('onRequest', async (_request, reply) => {
    reply.header('content-security-policy', policy);
  });
}

/** On every answer that a route of ours gives. */
export async function secureAnswers(app: FastifyInstance): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: false,
    strictTransportSecurity: false,
    // Not `no-referrer`: browsers then send our own forms with the origin `null`.
    referrerPolicy: { policy: 'same-origin' },
  });
  setContentPolicy(app, {});
}

/** On an answer that is made before any hook has run, or by Node itself. */
export const bareHeaders = {
  'content-security-policy': contentPolicy(),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
  'referrer-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;
