import { readBounded } from './answer-body.ts';
import type { CallFailure } from './answers.ts';

const LONGEST_WORD = 100;
export const LONGEST_MESSAGE = 500;

/** Gateways repeat a wrong request in their error, and a request may have a megabyte. */
const MOST_ERROR_BYTES = 8_000_000;

/** A time-out is recognized by the SDK's message, because bundlers rename classes and another copy has different classes. */
const gaveUp = /^Request (was aborted|timed out)\.$/;

/** A call that ends while its body is read is not translated by the SDK. Its `code` is a number without a meaning here. */
const isAbort = (error: unknown) => error instanceof DOMException && error.name === 'AbortError';

const errorBodies = new WeakMap<Headers, string>();

/**
 * A fetch that remembers the bodies of errors. The SDK keeps a body only in OpenAI's shape and drops `{"detail": …}` and
 * `{"error": "text"}`, which gateways send. The headers of an SDK error lead back to its body.
 */
export function rememberErrorBodies(realFetch: typeof fetch): typeof fetch {
  return async (input, init) => {
    const answer = await realFetch(input, init);
    if (answer.ok || !answer.body) return answer;
    const text = (await readBounded(answer, MOST_ERROR_BYTES).catch(() => null)) ?? '';
    errorBodies.set(answer.headers, text);
    // The body has been read, and a new Response would refuse some statuses and reasons, so only `text` is replaced.
    Object.defineProperty(answer, 'text', { value: async () => text });
    return answer;
  };
}

/** The body of an error; undefined if it was not read. */
export function errorBodyOf(headers: Headers | undefined): string | undefined {
  return headers && errorBodies.get(headers);
}

/** The message in an error's JSON body; null if the body is something else, such as a gateway's page. */
export function errorTextOf(body: string | null | undefined): string | null {
  if (typeof body !== 'string') return null;
  try {
    return errorTextIn(JSON.parse(body));
  } catch {
    return null;
  }
}

/** Reads OpenAI's shape, and those of LiteLLM, vLLM, FastAPI and problem+json (RFC 9457). */
export function errorTextIn(body: unknown): string | null {
  if (typeof body === 'string') return body === '' ? null : body;
  if (Array.isArray(body)) return errorTextIn(body[0]);
  if (typeof body !== 'object' || body === null) return null;
  for (const name of ['error', 'message', 'detail', 'msg', 'errors', 'title']) {
    const text = errorTextIn((body as Record<string, unknown>)[name]);
    if (text !== null) return text;
  }
  return null;
}

/** The fields of an SDK error that are read, whichever copy of the package threw it. */
interface ErrorShape {
  message?: unknown;
  status?: unknown;
  error?: unknown;
  headers?: unknown;
  code?: unknown;
  type?: unknown;
  param?: unknown;
  cause?: unknown;
}

/** An error in the SDK's shape, for an answer that says that a call failed. */
export function failedStatus(status: number, headers: Headers, text: string): ErrorShape & Error {
  errorBodies.set(headers, text);
  let body: { error?: unknown } | null = null;
  try {
    body = JSON.parse(text);
  } catch {
    // A page of a gateway on the way.
  }
  return Object.assign(new Error(`The provider answered ${status}.`), { status, headers, error: body?.error });
}

/** The facts of an SDK error. The SDK's own messages may quote the prompt, so only the provider's words are kept. */
export function callFailure(error: unknown): CallFailure {
  const shape: ErrorShape = typeof error === 'object' && error !== null ? error : {};
  const headers = shape.headers instanceof Headers ? shape.headers : undefined;
  const inner: ErrorShape = typeof shape.error === 'object' && shape.error !== null ? shape.error : {};
  const cause = connectionError(shape.cause);
  const message =
    errorTextOf(errorBodyOf(headers)) ?? textOf(inner) ?? (typeof shape.error === 'string' ? shape.error : null);
  return {
    status: typeof shape.status === 'number' ? shape.status : null,
    code: wordOf(shape.code ?? inner.code),
    type: wordOf(shape.type ?? inner.type),
    param: pathOf(shape.param ?? inner.param),
    message: message?.slice(0, LONGEST_MESSAGE) ?? null,
    headers,
    connectionCode: cause?.code ?? null,
    // Linux reports some errors of an established connection by the codes of one that was never established.
    stoodBefore: cause?.syscall === 'read' || cause?.syscall === 'write',
    timedOut: shape.status === undefined && (gaveUp.test(String(shape.message)) || isAbort(error)),
  };
}

/** A code as one word. Gateways send numbers, objects and null in its place (LiteLLM, OpenRouter, vLLM). */
export function wordOf(value: unknown): string | null {
  const word = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : '';
  // Free text could quote the prompt, and codes are logged (I13).
  return /^[\w.:-]+$/.test(word) ? word.slice(0, LONGEST_WORD) : null;
}

/** The name of a part of a request, like `input[0].content`. */
function pathOf(value: unknown): string | null {
  return typeof value === 'string' && /^[\w.[\]'-]+$/.test(value) ? value.slice(0, LONGEST_WORD) : null;
}

function textOf({ message }: { message?: unknown }): string | null {
  return typeof message === 'string' && message !== '' ? message : null;
}

/** Node's own error for a failed connection, which `fetch` wraps in others. */
function connectionError(cause: unknown): NodeJS.ErrnoException | null {
  for (let error = cause; error instanceof Error; error = error.cause)
    if ((error as NodeJS.ErrnoException).code !== undefined) return error;
  return null;
}
