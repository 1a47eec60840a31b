import type { Configuration } from '../../shared/runtime/settings.ts';
import { exitCodes } from '../exit-codes.ts';
import { heedCtrlC } from '../interrupt.ts';
import { hasScreen, startLiveTable } from '../live-table.ts';
import { print } from '../output.ts';
import { Provider } from './provider.ts';
import { trialTable } from './report.ts';
import { smallRequest } from './spending.ts';
import { newTrial, type Trial, tryCancel } from './try-cancel.ts';

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

/**
 * All at once, each cancelled at a moment of its own; their table is shown as it grows where there is a screen, else at
 * the end, and not at all where `quiet`. Ctrl-C ends the watching, cancels what is not cancelled yet, and sets the exit code.
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
    process.stderr.write('\nEnded before its time: what comes back later, and what it costs then, is not in here.\n');
    process.exitCode = exitCodes.interrupted;
  }
  return { trials, isWhole };
}
