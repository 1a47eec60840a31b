import type { WasteSum } from '../contract/ledger.ts';
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
