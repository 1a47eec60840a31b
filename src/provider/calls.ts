import { APIError, type ClientOptions, type OpenAI } from 'openai';
import { keepErrorBody, readErrorBody } from './call-failure.ts';
import { type LeanAnswer, leanRequest } from './lean-fetch.ts';

/** A call to the provider's API. Its path begins behind the base URL. */
export interface Call {
  method: 'get' | 'post';
  path: string;
  query?: { include?: string[] };
  /** JSON. */
  body?: string;
  timeoutMs: number;
  signal: AbortSignal;
}

/** An answer to a call that succeeded, its body unread. */
export type Answer = Pick<Response, 'status' | 'body'> & { headers: Pick<Headers, 'get'> };

/** Sends a call once. Throws the SDK's errors, and undici's own for a connection that failed. */
export type SendCall = (call: Call) => Promise<Answer>;

const jsonHeaders = { 'content-type': 'application/json' };

/** Sends calls by the SDK, which signs each of them in its own way. */
export function sdkCalls(client: OpenAI): SendCall {
  return async ({ method, path, query, body, timeoutMs, signal }) =>
    await client[method](path, {
      ...(query ? { query } : {}),
      ...(body === undefined ? {} : { body, headers: jsonHeaders }),
      timeout: timeoutMs,
      maxRetries: 0,
      signal,
    }).asResponse();
}

/** The options with which a client signs every call with the same headers. */
const plainOptions = new Set([
  'apiKey',
  'baseURL',
  'organization',
  'project',
  'defaultHeaders',
  'timeout',
  'maxRetries',
]);

/** True if the SDK would send each call with the same headers, by the default fetch. */
export function isPlainClient(options: ClientOptions): boolean {
  const given = Object.entries(options).filter(([, value]) => value !== undefined && value !== null);
  return given.every(([name]) => plainOptions.has(name)) && typeof (options.apiKey ?? '') === 'string';
}

/**
 * Sends calls with the headers that the SDK made for the first of their kind. The SDK's preparation of a call costs more than
 * the call (docs/decisions/0021). What is out of the ordinary is left to the SDK.
 */
export function directCalls(client: OpenAI): SendCall {
  const bySdk = sdkCalls(client);
  const prepared = new Map<string, Promise<Prepared>>();

  async function prepare({ method, body, timeoutMs }: Call): Promise<Prepared> {
    // A body that is named and missing would be announced as JSON.
    const withBody = body === undefined ? {} : { body, headers: jsonHeaders };
    const { req, url } = await client.buildRequest({ method, path: '/', ...withBody, timeout: timeoutMs });
    return { base: url.slice(0, -1), headers: Object.fromEntries(req.headers) };
  }

  return async call => {
    if (call.query?.include) return await bySdk(call);
    const kind = `${call.method} ${call.body === undefined} ${call.timeoutMs}`;
    const { base, headers } = await (prepared.get(kind) ?? keep(prepared, kind, prepare(call)));
    const { body, signal } = call;
    const answer = await leanRequest(base + call.path, {
      method: call.method.toUpperCase(),
      headers,
      body,
      signal,
    }).catch((cause: unknown) => {
      throw signal.aborted ? cause : new Error('The connection failed.', { cause });
    });
    if (answer === null) return await bySdk(call);
    if (!answer.ok) throw await statusError(answer);
    return answer as unknown as Answer;
  };
}

interface Prepared {
  base: string;
  headers: Record<string, string>;
}

/** Only one that could be prepared is kept. */
function keep<Value>(kept: Map<string, Promise<Value>>, name: string, value: Promise<Value>): Promise<Value> {
  kept.set(name, value);
  value.catch(() => kept.delete(name));
  return value;
}

/** The error that the SDK would throw for this answer. */
async function statusError(answer: LeanAnswer): Promise<APIError> {
  const text = await readErrorBody(answer as unknown as Response);
  const headers = answer.headers as Headers;
  keepErrorBody(headers, text);
  let body: object | undefined;
  try {
    body = JSON.parse(text);
  } catch {
    // A page of a gateway on the way.
  }
  return APIError.generate(answer.status, body, body ? undefined : text, headers);
}
