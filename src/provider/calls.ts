import type { OpenAI } from 'openai';
import { readBounded } from './answer-body.ts';

/** A call to the provider's API. Its path begins behind the base URL. */
export interface Call {
  method: 'get' | 'post';
  path: string;
  query?: { include?: string[] };
  /** JSON. */
  body?: string;
  /** Aborts the call when its time is over. */
  signal: AbortSignal;
}

/** An answer to a call that succeeded. */
export interface Answer {
  status: number;
  headers: { get(name: string): string | null };
  /** The body; null if it is longer than MOST_BODY_BYTES, or unpacks to more. */
  text: string | null;
}

/** Sends a call once. Throws the SDK's errors or errors of their shape (see call-failure.ts). */
export type SendCall = (call: Call) => Promise<Answer>;

/** More than any result that a store should hold. A longer body is not read to its end. */
export const MOST_BODY_BYTES = 64_000_000;

/** The SDK's own time-out, as long as a timer can be, because ours ends the call (see `startTimeout`). */
export const BY_SIGNAL = 2 ** 31 - 1;

export const jsonHeaders = { 'content-type': 'application/json' };

/** Sends calls by the SDK, which signs each of them in the way that the client was given. */
export function sdkCalls(openClient: () => Promise<OpenAI>): SendCall {
  return async ({ method, path, query, body, signal }) => {
    const client = await openClient();
    const answer = await client[method](path, {
      ...(query ? { query } : {}),
      ...(body === undefined ? {} : { body, headers: jsonHeaders }),
      timeout: BY_SIGNAL,
      maxRetries: 0,
      signal,
    }).asResponse();
    return { status: answer.status, headers: answer.headers, text: await readBounded(answer, MOST_BODY_BYTES) };
  };
}

/** The model that Azure says has run, where the deployment has another name. */
export function servedModelOf(answer: { headers: { get(name: string): string | null } }): string | undefined {
  return answer.headers.get('x-ms-served-model') ?? undefined;
}
