import { span, usd } from '../../shared/runtime/format.ts';
import { price } from '../../shared/runtime/prices.ts';
import type { PriceSettings } from '../../shared/runtime/settings.ts';
import { table } from '../output.ts';
import type { Trial } from './try-cancel.ts';

export interface TrialSummary {
  model: string;
  responses: number;
  created: number;
  cancelled: number;
  stayed_cancelled: number;
  came_back: number;
  came_back_after_ms: (number | null)[];
  /** Of those that showed a usage; what the others cost is not known. */
  billed_tokens: number;
  billed_usd_micros: number;
  usage_unknown: number;
}

export function summaryOf(trials: Trial[], model: string, prices: PriceSettings): TrialSummary {
  const taken = trials.filter(trial => trial.cancel_status === 'cancelled');
  const back = taken.filter(trial => trial.came_back_after_ms !== null);
  return {
    model,
    responses: trials.length,
    created: trials.filter(isCreated).length,
    cancelled: taken.length,
    stayed_cancelled: taken.length - back.length,
    came_back: back.length,
    came_back_after_ms: back.map(trial => trial.came_back_after_ms),
    billed_tokens: trials.reduce((sum, { usage }) => sum + (usage?.total_tokens ?? 0), 0),
    billed_usd_micros: trials.reduce((sum, trial) => sum + (costOf(trial, model, prices) ?? 0), 0),
    usage_unknown: trials.filter(trial => isCreated(trial) && !trial.usage).length,
  };
}

export function trialTable(trials: Trial[], model: string, prices: PriceSettings): string {
  return table(
    ['CANCELLED AFTER', 'CREATE', 'CANCEL', 'IT SAID', 'THEN', 'CAME BACK AFTER', 'TOKENS', 'COST'],
    trials.map(trial => [
      span(trial.cancel_after_ms),
      trial.create_http,
      trial.cancel_http ?? '–',
      trial.cancel_status ?? '–',
      trial.statuses.join(' → ') || '–',
      trial.came_back_after_ms === null ? 'never' : span(trial.came_back_after_ms),
      trial.usage?.total_tokens ?? 'none shown',
      trial.usage ? usd(costOf(trial, model, prices)) : '–',
    ]),
  );
}

export function trialSentence(summary: TrialSummary): string {
  const unknown = summary.usage_unknown > 0 ? `; ${summary.usage_unknown} never showed a usage` : '';
  return `${summary.cancelled} of ${summary.responses} were cancelled by the provider's word; ${summary.stayed_cancelled} stayed so, ${summary.came_back} came back. ${summary.billed_tokens} tokens were charged, ${usd(summary.billed_usd_micros)}${unknown}.`;
}

function costOf({ usage }: Trial, model: string, prices: PriceSettings): number | null {
  return usage && price({ model, servedModel: null, serviceTier: null, usage }, prices).costUsdMicros;
}

/** Nothing is cancelled whose create was refused. */
function isCreated({ cancel_http: cancelHttp }: Trial): boolean {
  return cancelHttp !== null;
}
