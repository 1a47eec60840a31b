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
