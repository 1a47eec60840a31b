import type { WasteDimension, WasteSum } from '../../shared/contract/ledger.ts';
import { counted, usd } from '../../shared/runtime/format.ts';
import { isComparable, likelyCost, nothingKnown } from '../../shared/runtime/waste-words.ts';
import { table } from '../terminal/table.ts';

/** The column of the cost, which is not cut off on a narrow terminal. */
const COST = 2;

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
    { kept: [COST] },
  );
  const notes = [
    ...(unpriced > 0
      ? [`+ The price of ${counted(unpriced, 'response')} is not known, so the real cost is higher.`]
      : []),
    ...(lines.includes('~$')
      ? ['~ The likely cost of responses whose tokens are not known, where their models have run before.']
      : []),
    ...(lines.includes('≤$') ? ['≤ The most that responses whose tokens are not known can cost.'] : []),
  ];
  return [lines, ...notes].join('\n');
}

/** A plus marks a sum in which some responses have no price, because it is a lower bound. */
function costCell(sum: WasteSum): string {
  const open = openCell(sum);
  if (nothingKnown(sum)) return open || 'not known';
  const known = isPartlyPriced(sum)
    ? `${usd(sum.cost_usd_micros)}+`
    : sum.unpriced > 0
      ? 'no price'
      : usd(sum.cost_usd_micros);
  return open ? `${known} and ${open}` : known;
}

/** What the responses without a known usage may cost, in as few places as it takes. */
function openCell(sum: WasteSum): string {
  const { pending, unknown, unbounded, most_cost_usd_micros: most } = sum;
  if (likelyCost(sum) !== '') return `~${usd(sum.likely_cost_usd_micros)}`;
  return pending + unknown === 0 || unbounded > 0 ? '' : `≤${usd(most)}`;
}

function percentage(sum: WasteSum): number | string {
  const { total_tokens, used_total_tokens } = sum;
  const all = total_tokens + used_total_tokens;
  if (nothingKnown(sum)) return '–';
  return all === 0 ? 0 : Math.round((100 * total_tokens) / all);
}

function isPartlyPriced({ unpriced, responses, pending, unknown }: WasteSum): boolean {
  return unpriced > 0 && unpriced < responses - pending - unknown;
}
