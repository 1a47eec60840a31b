import type { Configuration } from '../../shared/runtime/settings.ts';
import { Provider } from './provider.ts';
import { smallRequest } from './spending.ts';
import { type Trial, tryCancel } from './try-cancel.ts';

export interface TrialPlan {
  model: string;
  /** Responses to create and cancel. */
  n: number;
  /** How long each one is watched after its cancel, in milliseconds. */
  window: number;
}

/** After the create; the last ones meet a response that is well under way. */
const cancelMomentsMs = [0, 250, 500, 1000, 2000, 3000, 5000];

export function cancelMomentMs(number: number): number {
  return cancelMomentsMs[number % cancelMomentsMs.length] ?? 0;
}

/** All at once, each cancelled at a moment of its own. */
export async function runTrials({ model, n, window }: TrialPlan, configuration: Configuration): Promise<Trial[]> {
  const provider = new Provider(configuration);
  const request = { ...smallRequest(model, configuration), background: true, store: true };
  return await Promise.all(
    Array.from({ length: n }, (_, number) =>
      tryCancel(provider, request, { cancelAfterMs: cancelMomentMs(number), windowMs: window }),
    ),
  );
}
