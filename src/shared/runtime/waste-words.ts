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
