import { readBounded } from './bounded-body.ts';

/** Gateways repeat a wrong request in their error, and a request has a megabyte. */
const MOST_ERROR_BYTES = 8_000_000;

const texts = new WeakMap<Headers, string>();

/**
 * A fetch that remembers what stood in an error's body. The SDK keeps only OpenAI's own shape of one, and drops
 * `{"detail": …}` and `{"error": "text"}`, which gateways send. An error of the SDK leads back to it by its headers.
 */
export function rememberErrorBodies(realFetch: typeof fetch): typeof fetch {
  return async (input, init) => {
    const answer = await realFetch(input, init);
    if (answer.ok || !answer.body) return answer;
    const text = (await readBounded(answer, MOST_ERROR_BYTES).catch(() => null)) ?? '';
    texts.set(answer.headers, text);
    // The body is read; whoever asks for it gets what it was. A new Response would not take every status and reason.
    Object.defineProperty(answer, 'text', { value: async () => text });
    return answer;
  };
}

/** An error's body as it came; undefined where it was not read. */
export function errorBodyOf(headers: Headers | undefined): string | undefined {
  return headers && texts.get(headers);
}

/** What an error's body says went wrong; null where it is no error in JSON, such as a gateway's own page. */
export function errorTextOf(headers: Headers | undefined): string | null {
  const text = headers && texts.get(headers);
  if (text === undefined) return null;
  try {
    return errorTextIn(JSON.parse(text));
  } catch {
    return null;
  }
}

/** OpenAI's shape, and those of LiteLLM, vLLM, FastAPI, and problem+json (RFC 9457). */
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
