import type { ClientOptions } from 'openai';
import { failedStatus } from './call-failure.ts';
import { type Call, jsonHeaders, MOST_BODY_BYTES, type SendCall } from './calls.ts';

const DEFAULT_BASE_URL = 'https://api.openai.com/v1';

/** The options of a client that signs every call with the same headers. */
const plainOptions = new Set(['apiKey', 'baseURL', 'organization', 'project', 'timeout', 'maxRetries']);

/** True if every call of a client with these options has the same headers and goes out by the default `fetch`. */
export function isPlain(options: ClientOptions): boolean {
  const given = Object.entries(options).flatMap(([name, value]) =>
    value === undefined || value === null ? [] : [name],
  );
  const isString = typeof (options.apiKey ?? '') === 'string';
  return isString && given.every(name => plainOptions.has(name)) && !process.env.OPENAI_CUSTOM_HEADERS;
}

/**
 * Sends calls without the SDK, whose preparation of a call costs more than the call, and which takes 15 MB of memory
 * (docs/decisions/0021). The options and the environment mean what they mean to the SDK. Calls that are out of the ordinary
 * are left to `bySdk`. Throws if there is no key.
 */
export function directCalls(options: ClientOptions, bySdk: SendCall): SendCall {
  const { OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_ORG_ID, OPENAI_PROJECT_ID } = process.env;
  const key = options.apiKey ?? OPENAI_API_KEY?.trim();
  if (!key) throw new Error('The key is missing.');
  const { origin, pathname } = new URL(options.baseURL || OPENAI_BASE_URL?.trim() || DEFAULT_BASE_URL);
  const base = pathname.replace(/\/$/, '');
  const organization = options.organization === undefined ? OPENAI_ORG_ID?.trim() : options.organization;
  const project = options.project === undefined ? OPENAI_PROJECT_ID?.trim() : options.project;
  const signed: Record<string, string> = {
    accept: 'application/json',
    authorization: `Bearer ${key}`,
    'user-agent': 'headstone',
    ...(organization ? { 'openai-organization': organization } : {}),
    ...(project ? { 'openai-project': project } : {}),
  };
  const withBody = { ...signed, ...jsonHeaders };
  // An idle worker needs no connection to the provider.
  let lean: Promise<typeof import('./lean-request.ts')> | undefined;

  return async call => {
    const { method, path, query, body, signal } = call;
    if (query?.include) return await bySdk(call);
    lean ??= import('./lean-request.ts');
    const { leanRequest } = await lean;
    const { status, headers, text } = await leanRequest({
      origin,
      path: base + path,
      method: method === 'get' ? 'GET' : 'POST',
      headers: body === undefined ? signed : withBody,
      body,
      signal,
      mostBytes: MOST_BODY_BYTES,
    }).catch((cause: unknown) => {
      throw signal.aborted ? cause : new Error('The connection failed.', { cause });
    });
    const next = status >= 300 && status <= 399 ? redirected(call, status, headers.get('location'), origin) : null;
    if (next) return await bySdk(next);
    if (status > 299) throw failedStatus(status, new Headers([...headers]), text ?? '');
    return { status, headers, text };
  };
}

/**
 * The call that a redirect asks for, which the SDK's `fetch` follows further; null if it must not be sent. After 307 and 308
 * nothing was done yet. After any other answer to a POST it was done, and only its outcome is elsewhere: to send a create again
 * would launch twice (I6). Neither the key nor the prompt goes to another host, and no other host is believed.
 */
function redirected(call: Call, status: number, location: string | null, origin: string): Call | null {
  const target = location === null ? null : URL.parse(location, origin);
  if (target?.origin !== origin) return null;
  if (call.method === 'get' || status === 307 || status === 308) return call;
  return { method: 'get', path: target.href, signal: call.signal };
}
