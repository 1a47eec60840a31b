import { HeadstoneError } from '../shared/contract/errors.ts';
import type { Configuration } from '../shared/runtime/settings.ts';

/** A worker without a key would hold every launch; better to say so before it takes one. */
export function requireKey(
  { openaiApiKey, openaiBaseUrl }: Configuration,
  otherwise = 'try without one by "headstone dev"',
): void {
  if (openaiApiKey !== undefined) return;
  throw new HeadstoneError(
    'configuration',
    openaiBaseUrl === undefined
      ? `OPENAI_API_KEY is not set: set it, or ${otherwise}.`
      : `OPENAI_API_KEY is not set: set the key for ${openaiBaseUrl} (the simulator takes any).`,
  );
}
