import type { WasteDimension, WasteSum } from '../contract/ledger.ts';
import { usd, whole } from './format.ts';

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
  const open = pending + unknown;
  if (nothingKnown(sum)) return openCost(sum) || notKnown(sum);
  const known = pricedSum(cost, unpriced, responses - open);
  return open === 0 ? known : `${known} + ${openCost(sum) || `${whole(open)} not known`}`;
}

/** What used responses cost, as far as that is known. */
export function usedCost(sum: WasteSum): string {
  const { used_cost_usd_micros: cost, used_unpriced: unpriced, used_responses: responses } = sum;
  const open = sum.used_pending + sum.used_unknown;
  if (open > 0 && open === responses) return 'not known';
  const known = pricedSum(cost, unpriced, responses - open);
  return open === 0 ? known : `${known} + ${whole(open)} not known`;
}

/** A response may show a usage without a price before it is final, so `unpriced` may be more than those that are known. */
function pricedSum(cost: number, unpriced: number, known: number): string {
  if (unpriced === 0) return usd(cost);
  return cost === 0 && unpriced >= known ? 'no price' : `${usd(cost)} + ${whole(unpriced)} without price`;
}

/** What the responses without a known usage probably cost, or else at most; empty if nothing bounds them. */
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
  const open = model.used_pending + model.used_unknown + model.pending + model.unknown;
  const known = model.used_responses + model.responses - open;
  if (known <= 0) return undefined;
  const priced = known - model.used_unpriced - model.unpriced;
  return {
    tokens: (model.used_total_tokens + model.total_tokens) / known,
    cost: priced > 0 ? (model.used_cost_usd_micros + model.cost_usd_micros) / priced : null,
  };
}
