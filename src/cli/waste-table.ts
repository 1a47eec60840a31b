import type { WasteSum } from '../shared/contract/ledger.ts';
import { counted, usd } from '../shared/runtime/format.ts';
import { table } from './output.ts';

/** Sums by a dimension, a line each. */
export function wasteTable(by: string, sums: WasteSum[]): string {
  const unpriced = Math.max(0, ...sums.filter(isPartlyPriced).map(sum => sum.unpriced));
  // Only waste has a cause and an actor, so beside these there is nothing used to compare with.
  const comparable = by !== 'cause' && by !== 'actor';
  const lines = table(
    [
      by.toUpperCase(),
      'WASTED\nTOKENS',
      'COST',
      'RESPONSES',
      'PENDING',
      'UNKNOWN',
      ...(comparable ? ['USED\nTOKENS', 'WASTED\n%'] : []),
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
  return unpriced === 0
    ? lines
    : `${lines}\n+: and what ${counted(unpriced, 'response')} cost whose price is not known.`;
}

/** A sum in which some responses have no price is a lower bound, and says so. */
function costCell(sum: WasteSum): string {
  if (isPartlyPriced(sum)) return `${usd(sum.cost_usd_micros)}+`;
  return sum.unpriced > 0 ? 'no price' : usd(sum.cost_usd_micros);
}

function percentage({ total_tokens, used_total_tokens }: WasteSum): number {
  const all = total_tokens + used_total_tokens;
  return all === 0 ? 0 : Math.round((100 * total_tokens) / all);
}

function isPartlyPriced({ unpriced, responses }: WasteSum): boolean {
  return unpriced > 0 && unpriced < responses;
}
