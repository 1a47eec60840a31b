import type { WasteDimension, WasteSum } from '../contract/ledger.ts';
import { usd } from './format.ts';

/** True if no usage of the wasted responses is known, so that their sum of 0 says nothing. */
export function nothingKnown({ responses, pending, unknown }: WasteSum): boolean {
  return responses > 0 && pending + unknown === responses;
}

/** Says of tokens or a cost that they are not known, and whether they may become so. */
export function notKnown({ pending }: WasteSum): string {
  return pending > 0 ? 'not known yet' : 'not known';
}

/** What a sum of wasted responses cost, as far as that is known, and what may come to it. Unknown is never zero. */
export function wastedCost(sum: WasteSum): string {
  const { responses, pending, unknown, unpriced, cost_usd_micros: cost } = sum;
  const open = openCost(sum);
  if (nothingKnown(sum)) return open || notKnown(sum);
  const known = pricedSum(cost, unpriced, responses - pending - unknown);
  return open ? `${known} + ${open}` : known;
}

/** What used responses cost, and how many of them have no price. */
export function usedCost({ used_cost_usd_micros: cost, used_unpriced: unpriced, used_responses: responses }: WasteSum) {
  return pricedSum(cost, unpriced, responses);
}

function pricedSum(cost: number, unpriced: number, responses: number): string {
  if (responses > 0 && unpriced >= responses) return 'no price';
  return unpriced > 0 ? `${usd(cost)} + ${unpriced} without price` : usd(cost);
}

/** What the responses without a known usage probably cost, or else at most; empty if there are none, or if nothing bounds them. */
function openCost(sum: WasteSum): string {
  const { pending, unknown, unbounded, most_cost_usd_micros: most } = sum;
  const likely = likelyCost(sum);
  if (likely !== '') return likely;
  return pending + unknown === 0 || unbounded > 0 ? '' : `at most ${usd(most)}`;
}

/** What they probably cost; empty if there are none, or if their models have not run yet. */
export function likelyCost({ pending, unknown, likely_cost_usd_micros, unestimated }: WasteSum): string {
  const open = pending + unknown;
  if (open === 0 || unestimated >= open || likely_cost_usd_micros === 0) return '';
  const about = `about ${usd(likely_cost_usd_micros)}`;
  return unestimated > 0 ? `${about} for ${open - unestimated} of ${open}` : about;
}

/** Used responses have no cause, reason, actor or bulk cancel, so sums by these cannot be compared with them. */
export function isComparable(by: WasteDimension): boolean {
  return !['cause', 'reason', 'actor', 'cancellation'].includes(by);
}

/** What a response of a model uses on average, used or wasted; undefined if no usage is known. `cost` is in millionths of a dollar; null if no price is. */
export function averageOf(model: WasteSum): { tokens: number; cost: number | null } | undefined {
  const known = model.used_responses + model.responses - model.pending - model.unknown;
  if (known <= 0) return undefined;
  const priced = known - model.used_unpriced - model.unpriced;
  return {
    tokens: (model.used_total_tokens + model.total_tokens) / known,
    cost: priced > 0 ? (model.used_cost_usd_micros + model.cost_usd_micros) / priced : null,
  };
}
