import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Sessions } from '../../shared/store/sessions.ts';
import { errorBody } from '../error-answer.ts';
import { type Caller, type KeyRing, operator } from './key-ring.ts';

export type { Caller } from './key-ring.ts';

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller;
  }
}

export const SESSION_COOKIE = 'headstone_session';

/** Probes and scrapers have no key, and who is about to sign in has none yet. */
const openPaths = /^\/(healthz|readyz|metrics|sign-in|assets\/.*)$/;

/** A hook that knows the caller by their key or by their session, or answers 401; a person is shown where to sign in. */
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
    if (isPerson(request)) return reply.redirect(`/sign-in?next=${encodeURIComponent(request.url)}`, 303);
    return reply
      .code(401)
      .header('x-should-retry', 'false')
      .send(
        errorBody(
          'Incorrect API key provided: send a key of this Headstone as a bearer token, or in the header api-key.',
          'invalid_api_key',
          'invalid_request_error',
        ),
      );
  };

  async function callerBySession(request: FastifyRequest): Promise<Caller | undefined> {
    const token = request.cookies[SESSION_COOKIE];
    // A browser sends the cookie for whichever page asks: only our own may make changes with it.
    if (token === undefined || isForeignPage(request)) return undefined;
    const session = await sessions.find(token);
    return session ? keys.callerIn(session) : undefined;
  }
}

/** The hook of a server without sign-in. */
export async function asOperator(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  request.caller = operator;
  if (!isForeignPage(request)) return undefined;
  return reply
    .code(403)
    .send(
      errorBody(
        'This page is not of this server, so it may not change anything here.',
        'foreign_page',
        'invalid_request_error',
      ),
    );
}

/** True where a page of another origin wants to change something. Programs send no Origin. */
export function isForeignPage({ method, headers }: FastifyRequest): boolean {
  if (method === 'GET' || method === 'HEAD' || headers.origin === undefined) return false;
  // The browser's own word, for a proxy in front of us that changes the host's name.
  if (headers['sec-fetch-site'] === 'same-origin') return false;
  return !URL.canParse(headers.origin) || new URL(headers.origin).host !== headers.host;
}

/** A browser that opens a page, and not a program. */
export function isPerson({ method, headers }: FastifyRequest): boolean {
  return method === 'GET' && (headers.accept ?? '').includes('text/html');
}

/** As OpenAI's clients send it, and as Azure's do. */
function keyOf(request: FastifyRequest): string {
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const header = request.headers['api-key'];
  return bearer ?? (typeof header === 'string' ? header : '');
}
