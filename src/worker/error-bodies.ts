import { readBounded } from './bounded-body.ts';

const MOST_ERROR_BYTES = 64_000;

const texts = new WeakMap<Headers, string>();

/**
 * A fetch that remembers what stood in an error's body. The SDK keeps only OpenAI's own shape of one, and drops
 * `{"detail": …}` and `{"error": "text"}`, which gateways send. An error of the SDK leads back to it by its headers.
 */
export function rememberErrorBodies(realFetch: typeof fetch): typeof fetch {
  return async (input, init) => {
    const answer = await realFetch(input, init);
    if (answer.ok || answer.body === null) return answer;
    const text = (await readBounded(answer, MOST_ERROR_BYTES).catch(() => null)) ?? '';
    const { status, statusText } = answer;
    const kept = new Response(text, { status, statusText, headers: [...answer.headers] });
    texts.set(kept.headers, text);
    return kept;
  };
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
