import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { SESSION_MS, type Sessions } from '../../../shared/store/sessions.ts';
import type { KeyRing } from '../../access/key-ring.ts';
import { isForeignPage, SESSION_COOKIE } from '../../access/sign-in.ts';
import type { SignInLimit } from '../../access/sign-in-limit.ts';
import type { Api } from '../../api/schemas.ts';
import { signInPage } from './sign-in-page.ts';

const HOME = '/';
/** A key and a path. Anybody may send this form. */
const MOST_BYTES = 8192;

/** The path to go to next. It never leads to another server. */
const nextSchema = z.string().transform(ownPath).catch(HOME);

/** People give their key once, and a cookie stands for it from then on. */
export function signInRoutes(app: Api, keyRing: KeyRing, sessions: Sessions, limit: SignInLimit): void {
  app.get('/sign-in', { schema: { querystring: z.object({ next: nextSchema }) } }, async (request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('cache-control', 'no-store')
      .send(signInPage(request.query.next, null)),
  );

  app.post(
    '/sign-in',
    { bodyLimit: MOST_BYTES, schema: { body: z.object({ key: z.string().catch(''), next: nextSchema }) } },
    async (request, reply) => {
      const { key, next } = request.body;
      const refuse = (status: number, problem: string) =>
        reply.code(status).type('text/html; charset=utf-8').send(signInPage(next, problem));
      const tooSoon = (waitS: number) => {
        reply.header('retry-after', String(waitS));
        return refuse(429, `Too many sign-in attempts. Try again in ${waitS} seconds.`);
      };
      const waitS = await limit.countTry(request.ip);
      if (waitS !== null) return tooSoon(waitS);
      const session = isForeignPage(request) ? undefined : keyRing.sessionOf(key);
      if (!session) return refuse(401, 'This API key is not valid on this server.');
      const waitForKeyS = await limit.countSignIn(request.ip, session.key_name);
      if (waitForKeyS !== null) return tooSoon(waitForKeyS);
      const token = await sessions.open(session);
      return reply.setCookie(SESSION_COOKIE, token, cookieFor(request)).redirect(next, 303);
    },
  );

  app.post('/sign-out', async (request, reply) => {
    const token = request.cookies[SESSION_COOKIE];
    if (token !== undefined) await sessions.end(token);
    return reply.clearCookie(SESSION_COOKIE, { path: cookiePath(request) }).redirect('/sign-in', 303);
  });
}

/** A path of this server. It is read as a browser reads it, to which `/\t/evil.example` is another server. */
function ownPath(next: string): string {
  const base = 'http://headstone.invalid';
  if (!URL.canParse(next, base)) return HOME;
  const { origin, pathname, search } = new URL(next, base);
  return origin === base && !pathname.startsWith('//') ? `${pathname}${search}` : HOME;
}

/** Scripts cannot read the cookie, other sites cannot send it with a change, and if TLS is used it travels only over TLS. */
function cookieFor(request: FastifyRequest): CookieSerializeOptions {
  const { protocol, headers } = request;
  // The first in a list is what the browser used. A forged value only makes the forger's own cookie stricter.
  const forwarded = String(headers['x-forwarded-proto'] ?? '')
    .split(',')[0]
    ?.trim();
  const isSecure = protocol === 'https' || forwarded === 'https';
  return { path: cookiePath(request), httpOnly: true, sameSite: 'lax', secure: isSecure, maxAge: SESSION_MS / 1000 };
}

/** The path of the cookie, so that two Headstones under one site keep their sessions apart. */
function cookiePath({ basePath }: FastifyRequest): string {
  return basePath === '' ? '/' : basePath;
}
