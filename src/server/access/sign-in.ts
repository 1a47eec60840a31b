import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Sessions } from '../../shared/store/sessions.ts';
import { errorBody } from '../error-body.ts';
import { type Caller, type KeyRing, operator } from './key-ring.ts';

export type { Caller } from './key-ring.ts';

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller;
  }
}

export const SESSION_COOKIE = 'headstone_session';

/** Probes and scrapers have no key, people who are about to sign in have none yet, and webhooks are signed. */
const openPaths = /^\/(healthz|readyz|metrics|sign-in|assets\/.*|webhooks\/(openai|azure))$/;

/** A hook that finds the caller by the key or the session. Otherwise it answers 401, or sends a browser to the sign-in page. */
export function signInWith(keys: KeyRing, sessions: Sessions) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const path = request.url.split('?')[0] ?? '';
    if (openPaths.test(path)) return undefined;
    const key = keyOf(request);
    const caller = key === '' ? await callerBySession(request) : keys.callerOf(key);
    if (caller) {
      request.caller = caller;
      return undefined;
    }
    if (wantsHtml(request)) return reply.redirect(`/sign-in?next=${encodeURIComponent(request.url)}`, 303);
    return reply
      .code(401)
      .header('x-should-retry', 'false')
      .send(
        errorBody(
          'Incorrect API key provided. Send one of this Headstone’s keys as a bearer token or in the header api-key.',
          'invalid_api_key',
          'invalid_request_error',
        ),
      );
  };

  async function callerBySession(request: FastifyRequest): Promise<Caller | undefined> {
    const token = request.cookies[SESSION_COOKIE];
    // A browser sends the cookie for any page that asks, so only this server's pages may change something by it.
    if (token === undefined || isForeignPage(request)) return undefined;
    const session = await sessions.find(token);
    return session ? keys.callerIn(session) : undefined;
  }
}

/** The hook of a server without sign-in: every caller is the operator. */
export async function asOperator(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  request.caller = operator;
  if (!isForeignPage(request)) return undefined;
  return reply
    .code(403)
    .send(
      errorBody(
        'The request comes from a page of another site, so it may not change anything here.',
        'foreign_page',
        'invalid_request_error',
      ),
    );
}

/** True if a page of another origin wants to change something. Programs send no Origin. */
export function isForeignPage({ method, headers }: FastifyRequest): boolean {
  if (method === 'GET' || method === 'HEAD' || headers.origin === undefined) return false;
  // The browser says so itself, which helps if a proxy changes the host's name.
  if (headers['sec-fetch-site'] === 'same-origin') return false;
  return !URL.canParse(headers.origin) || new URL(headers.origin).host !== headers.host;
}

/** True if a browser opens a page. */
export function wantsHtml({ method, headers }: FastifyRequest): boolean {
  return method === 'GET' && (headers.accept ?? '').includes('text/html');
}

/** The key, as OpenAI's or Azure's clients send it. */
function keyOf(request: FastifyRequest): string {
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const header = request.headers['api-key'];
  return bearer ?? (typeof header === 'string' ? header : '');
}
