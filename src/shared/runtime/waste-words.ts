import type { WasteDimension, WasteSum } from '../contract/ledger.ts';
import { usd } from './format.ts';

/** True if no usage of the wasted responses is known, so that their sum of 0 says nothing. */
export function nothingKnown({ responses, pending, unknown }: WasteSum): boolean {
  return responses > 0 && pending + unknown === responses;
}

/** What the responses without a known usage probably cost; empty if there are none, or their models have not run yet. */
export function likelyCost({ pending, unknown, likely_cost_usd_micros, unestimated }: WasteSum): string {
  const open = pending + unknown;
  if (open === 0 || unestimated >= open || likely_cost_usd_micros === 0) return '';
  return `about ${usd(likely_cost_usd_micros)}`;
}

/** Used responses have no cause, reason, actor or bulk cancel, so sums by these cannot be compared with them. */
export function isComparable(by: WasteDimension): boolean {
  return !['cause', 'reason', 'actor', 'cancellation'].includes(by);
}

/** What a response of a model uses on average, used or wasted. Cost is in millionths of a dollar; undefined if none is known. */
export function averageOf(model: WasteSum): { tokens: number; cost: number } | undefined {
  const known = model.used_responses + model.responses - model.pending - model.unknown;
  if (known <= 0) return undefined;
  return {
    tokens: (model.used_total_tokens + model.total_tokens) / known,
    cost: (model.used_cost_usd_micros + model.cost_usd_micros) / known,
  };
}
