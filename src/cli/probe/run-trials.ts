import type { Configuration } from '../../shared/runtime/settings.ts';
import { exitCodes } from '../terminal/exit-codes.ts';
import { heedCtrlC } from '../terminal/interrupt.ts';
import { hasScreen, startLiveTable } from '../terminal/live-table.ts';
import { print } from '../terminal/output.ts';
import { Provider } from './provider.ts';
import { trialTable } from './report.ts';
import { smallRequest } from './spending.ts';
import { newTrial, type Trial, tryCancel } from './try-cancel.ts';

export interface TrialPlan {
  model: string;
  /** How many responses to create and cancel. */
  n: number;
  /** How long each one is watched after its cancel, in milliseconds. */
  window: number;
}

/** When to cancel, in milliseconds after the create. The last ones meet a response that has run for a while. */
const cancelMomentsMs = [0, 250, 500, 1000, 2000, 3000, 5000];

export function cancelMomentMs(number: number): number {
  return cancelMomentsMs[number % cancelMomentsMs.length] ?? 0;
}

/**
 * Runs all trials at once, each with another moment for its cancel. On a screen their table is shown as it grows, otherwise at
 * the end, and if `quiet` not at all. Ctrl-C ends the watching, cancels what is still running, and sets the exit code.
 */
export async function runTrials(
  { model, n, window }: TrialPlan,
  configuration: Configuration,
  quiet = false,
): Promise<{ trials: Trial[]; isWhole: boolean }> {
  const provider = new Provider(configuration);
  const request = { ...smallRequest(model, configuration), background: true, store: true };
  const trials = Array.from({ length: n }, (_, number) => newTrial(cancelMomentMs(number)));
  const draw = () => trialTable(trials, model, configuration.prices);
  const live = quiet ? null : startLiveTable(async () => draw());
  const isWhole = await heedCtrlC(async interrupted => {
    const options = { windowMs: window, enough: interrupted };
    await Promise.all(trials.map(trial => tryCancel(provider, request, trial, options)));
    return !interrupted.aborted;
  }).finally(live?.stop);
  if (!quiet && !hasScreen()) print(draw());
  if (!isWhole) {
    process.stderr.write(
      '\nWatching was stopped early. Responses that come back later, and their cost, are not included.\n',
    );
    process.exitCode = exitCodes.interrupted;
  }
  return { trials, isWhole };
}
