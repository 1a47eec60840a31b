import type { WasteDimension, WasteSum } from '../../shared/contract/ledger.ts';
import { counted, usd } from '../../shared/runtime/format.ts';
import { isComparable, likelyCost, nothingKnown } from '../../shared/runtime/waste-words.ts';
import { table } from '../terminal/table.ts';

/** A table of sums, with one line for each. */
export function wasteTable(by: WasteDimension, sums: WasteSum[]): string {
  const unpriced = Math.max(0, ...sums.filter(isPartlyPriced).map(sum => sum.unpriced));
  const comparable = isComparable(by);
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
      nothingKnown(sum) ? 'not known' : sum.total_tokens,
      costCell(sum),
      sum.responses,
      sum.pending,
      sum.unknown,
      ...(comparable ? [sum.used_total_tokens, percentage(sum)] : []),
    ]),
  );
  return unpriced === 0
    ? lines
    : `${lines}\n+ The price of ${counted(unpriced, 'response')} is not known, so the real cost is higher.`;
}

/** A plus marks a sum in which some responses have no price, because it is a lower bound. */
function costCell(sum: WasteSum): string {
  const likely = likelyCost(sum);
  if (nothingKnown(sum)) return likely || 'not known';
  const known = isPartlyPriced(sum)
    ? `${usd(sum.cost_usd_micros)}+`
    : sum.unpriced > 0
      ? 'no price'
      : usd(sum.cost_usd_micros);
  return likely ? `${known} + ${likely}` : known;
}

function percentage(sum: WasteSum): number | string {
  const { total_tokens, used_total_tokens } = sum;
  const all = total_tokens + used_total_tokens;
  if (nothingKnown(sum)) return '–';
  return all === 0 ? 0 : Math.round((100 * total_tokens) / all);
}

function isPartlyPriced({ unpriced, responses }: WasteSum): boolean {
  return unpriced > 0 && unpriced < responses;
}
