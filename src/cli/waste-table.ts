import type { WasteSum } from '../shared/contract/ledger.ts';
import { usd } from '../shared/runtime/format.ts';
import { table } from './output.ts';

/** Sums by a dimension, a line each. */
export function wasteTable(by: string, sums: WasteSum[]): string {
  // Only waste has a cause and an actor, so beside these there is nothing used to compare with.
  const comparable = by !== 'cause' && by !== 'actor';
  return table(
    [
      by.toUpperCase(),
      'WASTED TOKENS',
      'COST',
      'RESPONSES',
      'PENDING',
      'UNKNOWN',
      ...(comparable ? ['USED TOKENS', 'WASTED %'] : []),
    ],
    sums.map(sum => [
      sum.key || '(none)',
      sum.total_tokens,
      costCell(sum),
      sum.responses,
      sum.pending,
      sum.unknown,
      ...(comparable ? [sum.used_total_tokens, percentage(sum)] : []),
    ]),
  );
}

/** A sum in which some responses have no price is a lower bound, and says so. */
function costCell(sum: WasteSum): string {
  if (sum.unpriced === 0) return usd(sum.cost_usd_micros);
  return sum.unpriced === sum.responses ? 'no price' : `${usd(sum.cost_usd_micros)} + ${sum.unpriced} without price`;
}

function percentage({ total_tokens, used_total_tokens }: WasteSum): number {
  const all = total_tokens + used_total_tokens;
  return all === 0 ? 0 : Math.round((100 * total_tokens) / all);
}
