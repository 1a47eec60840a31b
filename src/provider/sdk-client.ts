import type { ClientOptions, OpenAI } from 'openai';
import { rememberErrorBodies } from './call-failure.ts';

/** Knows a client by its shape, because `instanceof` knows only one copy of the package, and apps may have another. */
export function isClient(openai: ClientOptions | OpenAI): openai is OpenAI {
  const shape = openai as Partial<OpenAI>;
  return [shape.withOptions, shape.get, shape.post].every(method => typeof method === 'function');
}

/** The app's client, or one with its options. The SDK is loaded only now. Throws if the key is missing. */
export async function openClient(openai: ClientOptions | OpenAI): Promise<OpenAI> {
  if (isClient(openai)) return quietClient(openai);
  const sdk = await import('openai');
  return quietClient(new sdk.OpenAI(openai));
}

/** By itself the SDK sends a create up to three times, each of them billed (I6), and its debug log prints prompts (I13). */
function quietClient(given: OpenAI): OpenAI {
  const options = { maxRetries: 0, logLevel: 'off' } as const;
  const { fetch: ownFetch } = given as unknown as { fetch?: typeof fetch };
  try {
    return given.withOptions({ ...options, ...(ownFetch ? { fetch: rememberErrorBodies(ownFetch) } : {}) });
  } catch {
    // A client that signs in by X.509 refuses another fetch. Its errors are read only as far as the SDK reads them.
    return given.withOptions(options);
  }
}
