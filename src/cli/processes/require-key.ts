import { HeadstoneError } from '../../shared/contract/errors.ts';
import type { Configuration } from '../../shared/runtime/settings.ts';

/** Throws `configuration` if the provider's key is missing, before a worker takes a job with it. */
export function requireKey(
  { openaiApiKey, openaiBaseUrl }: Configuration,
  otherwise = 'run "headstone dev" to try it without one',
): void {
  if (openaiApiKey !== undefined) return;
  throw new HeadstoneError(
    'configuration',
    openaiBaseUrl === undefined
      ? `OPENAI_API_KEY is not set. Set it, or ${otherwise}.`
      : `OPENAI_API_KEY is not set. Set it to the key for ${openaiBaseUrl} (the simulator takes any).`,
  );
}
