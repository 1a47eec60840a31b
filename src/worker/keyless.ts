import { HeadstoneError } from '../shared/contract/errors.ts';

/** The error of a worker without the provider's key. */
export function keyless(cause?: unknown): HeadstoneError {
  return new HeadstoneError(
    'configuration',
    'A worker needs the provider’s key. Set OPENAI_API_KEY, or give createWorker the option openai with an apiKey.',
    { cause },
  );
}
