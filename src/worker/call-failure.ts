import type { CallFailure } from './answers.ts';
import { errorTextOf } from './error-bodies.ts';

const LONGEST_WORD = 100;
const LONGEST_MESSAGE = 500;

/** By its words: bundlers rename the classes of the SDK, and another copy of it has classes of its own. */
const gaveUp = /^Request (was aborted|timed out)\.$/;

/** What an error of the openai package has, whichever copy of the package threw it. */
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

/** The SDK's errors as plain facts. Its messages may quote the prompt, so only the provider's own words are kept. */
export function callFailure(error: unknown): CallFailure {
  const shape: ErrorShape = typeof error === 'object' && error !== null ? error : {};
  const headers = shape.headers instanceof Headers ? shape.headers : undefined;
  const inner: ErrorShape = typeof shape.error === 'object' && shape.error !== null ? shape.error : {};
  const cause = connectionError(shape.cause);
  const message = errorTextOf(headers) ?? textOf(inner) ?? (typeof shape.error === 'string' ? shape.error : null);
  return {
    status: typeof shape.status === 'number' ? shape.status : null,
    code: wordOf(shape.code ?? inner.code),
    type: wordOf(shape.type ?? inner.type),
    param: wordOf(shape.param ?? inner.param),
    message: message?.slice(0, LONGEST_MESSAGE) ?? null,
    headers,
    connectionCode: cause?.code ?? null,
    // Linux tells a soft error of an established connection by the same codes as one of a connection that never stood.
    stoodBefore: cause?.syscall === 'read' || cause?.syscall === 'write',
    timedOut: shape.status === undefined && gaveUp.test(String(shape.message)),
  };
}

/** Gateways send numbers, objects and null where OpenAI sends a word (LiteLLM, OpenRouter, vLLM). */
export function wordOf(value: unknown): string | null {
  const word = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : '';
  // Free text could quote the prompt, and a code stands in the log (I13).
  return /^[\w.:-]+$/.test(word) ? word.slice(0, LONGEST_WORD) : null;
}

function textOf({ message }: { message?: unknown }): string | null {
  return typeof message === 'string' && message !== '' ? message : null;
}

/** Node's own error for why a connection failed, from the depth where `fetch` puts it. */
function connectionError(cause: unknown): NodeJS.ErrnoException | null {
  for (let error = cause; error instanceof Error; error = error.cause)
    if ((error as NodeJS.ErrnoException).code !== undefined) return error;
  return null;
}
