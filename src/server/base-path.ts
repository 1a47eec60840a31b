import type { FastifyInstance, FastifyRequest } from 'fastify';
import { withoutLastSlashes } from '../shared/runtime/last-slashes.ts';
import { plainPath } from '../shared/runtime/setting-formats.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The path in front of every path of this server; empty at the root of a site. */
    basePath: string;
  }
}

/**
 * Serves Headstone under a path of another site, as in https://example.com/headstone. A proxy may leave that path in the URL
 * (HEADSTONE_BASE_PATH), or remove it and send `x-forwarded-prefix`, which is believed only from HEADSTONE_TRUSTED_PROXIES.
 * All routes and links are written without the path, and it is put in front of them here.
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
    const page = linkedUnder(prefix, payload);
    reply.header('content-length', Buffer.byteLength(page));
    return page;
  });
}

/** A page whose links lead to the paths of this server under a base path. */
export function linkedUnder(basePath: string, page: string): string {
  return page.replace(ownLinks, `$1="${basePath}/`);
}

/** The URL without the base path. */
export function withoutBasePath(url: string, basePath: string): string {
  if (basePath === '' || !url.startsWith(basePath)) return url;
  const rest = url.slice(basePath.length);
  if (rest === '' || rest.startsWith('?')) return `/${rest}`;
  return rest.startsWith('/') ? rest : url;
}

/** Bounds the work of reading it. */
const LONGEST_PREFIX = 200;

/** Links in Headstone's own markup. Every field in it is escaped, so no field can look like one. */
const ownLinks = /\b(href|src|action|data-stream)="\/(?!\/)/g;

function prefixOf(request: FastifyRequest, basePath: string): string {
  const { 'x-forwarded-prefix': forwarded } = request.headers;
  // Fastify lists several addresses if it trusts the proxy that forwarded the request. Anybody can send the header.
  const isTrusted = (request.ips?.length ?? 0) > 1;
  if (!isTrusted || typeof forwarded !== 'string' || forwarded.length > LONGEST_PREFIX) return basePath;
  const given = withoutLastSlashes(forwarded.split(',')[0]?.trim() ?? '');
  return plainPath.test(given) ? given : basePath;
}

function isOwnPath(location: string): boolean {
  return location.startsWith('/') && !location.startsWith('//');
}
