import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DEFAULT_TENANT } from '../shared/contract/words.ts';
import type { ApiKey } from '../shared/runtime/settings.ts';
import { errorBody } from './error-answer.ts';

/** Who asks. */
export interface Caller {
  /** Of the key; null where nobody signs in. */
  keyName: string | null;
  tenant: string;
  /** May act for every tenant. */
  admin: boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller;
  }
}

/** Without sign-in everybody on this machine is the operator. */
export const operator: Caller = { keyName: null, tenant: DEFAULT_TENANT, admin: true };

/** Probes and scrapers have no key. */
const openPaths = new Set(['/healthz', '/readyz', '/metrics']);

/** A hook that knows the caller by their key, or answers 401. */
export function signInWith(keys: ApiKey[]) {
  const known = keys.map(({ name, key, sha256, tenant, admin }) => ({
    digest: sha256 === undefined ? digestOf(key ?? '') : Buffer.from(sha256, 'hex'),
    caller: { keyName: name, tenant, admin } satisfies Caller,
  }));

  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (openPaths.has(request.url.split('?')[0] ?? '')) return;
    const key = keyOf(request);
    const presented = digestOf(key);
    let caller: Caller | undefined;
    // Every digest is compared, in constant time: how long it takes says nothing about which was near.
    for (const entry of known) if (timingSafeEqual(entry.digest, presented)) caller = entry.caller;
    // The digest of nothing stands in the settings where somebody hashed an empty variable.
    if (caller && key !== '') request.caller = caller;
    else
      await reply
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
}

/** As OpenAI's clients send it, and as Azure's do. */
function keyOf(request: FastifyRequest): string {
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const header = request.headers['api-key'];
  return bearer ?? (typeof header === 'string' ? header : '');
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
