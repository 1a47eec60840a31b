import type { FastifyInstance, FastifyRequest } from 'fastify';
import { plainPath } from '../shared/runtime/setting-formats.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What a browser must put before every path of ours; empty at the root of a site. */
    basePath: string;
  }
}

/**
 * Headstone under a path of another site, as in https://example.com/headstone. A proxy may leave that path in the URL
 * (HEADSTONE_BASE_PATH) or take it away and say so (`x-forwarded-prefix`, believed from HEADSTONE_TRUSTED_PROXIES alone).
 * Inside, every route and link is written as if there were none; here they get it.
 */
export function underBasePath(app: FastifyInstance, basePath: string): void {
  app.decorateRequest('basePath', '');
  app.addHook('onRequest', async request => {
    request.basePath = prefixOf(request, basePath);
  });
  app.addHook('onSend', async ({ basePath: prefix }, reply, payload) => {
    if (prefix === '') return payload;
    const location = reply.getHeader('location');
    if (typeof location === 'string' && isOwnPath(location)) reply.header('location', `${prefix}${location}`);
    const isPage = String(reply.getHeader('content-type') ?? '').startsWith('text/html');
    if (!isPage || typeof payload !== 'string') return payload;
    const page = payload.replace(ownLinks, `$1="${prefix}/`);
    reply.header('content-length', Buffer.byteLength(page));
    return page;
  });
}

/** The URL without the path that the whole of Headstone stands under. */
export function withoutBasePath(url: string, basePath: string): string {
  if (basePath === '' || !url.startsWith(basePath)) return url;
  const rest = url.slice(basePath.length);
  if (rest === '' || rest.startsWith('?')) return `/${rest}`;
  return rest.startsWith('/') ? rest : url;
}

/** In markup of ours every field is escaped, so an attribute that begins so is a link of ours. */
const ownLinks = /\b(href|src|action|data-stream)="\/(?!\/)/g;

function prefixOf(request: FastifyRequest, basePath: string): string {
  const { 'x-forwarded-prefix': forwarded } = request.headers;
  // Fastify speaks of several addresses where it trusts who forwarded the request.
  const isTrusted = (request.ips?.length ?? 0) > 1;
  const given = typeof forwarded === 'string' ? forwarded.split(',')[0]?.trim().replace(/\/+$/, '') : undefined;
  return isTrusted && given !== undefined && plainPath.test(given) ? given : basePath;
}

function isOwnPath(location: string): boolean {
  return location.startsWith('/') && !location.startsWith('//');
}
