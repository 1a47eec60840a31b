import type { WasteDimension, WasteSum } from '../../shared/contract/ledger.ts';
import { counted, usd } from '../../shared/runtime/format.ts';
import { isComparable, likelyCost, nothingKnown } from '../../shared/runtime/waste-words.ts';
import { table } from '../terminal/table.ts';

/** The column of the cost, which is not cut off on a narrow terminal. */
const COST = 2;

/** Stands for a cost of which nothing is known, not even a bound. */
const UNBOUNDED = '?';

/** A table of sums, with one line for each. */
export function wasteTable(by: WasteDimension, sums: WasteSum[]): string {
  const unpriced = Math.max(0, ...sums.filter(isPartlyPriced).map(sum => sum.unpriced));
  const comparable = isComparable(by);
  const lines = table(
    [
      by.toUpperCase(),
      'WASTED\nTOKENS',
      'COST',
      'COUNT',
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
    ...(lines.includes(`and ${UNBOUNDED}`)
      ? ['? Nothing bounds what responses whose tokens are not known can cost.']
      : []),
    ...notesOn(lines),
  ];
  return [lines, ...notes].join('\n');
}

/** What the marks of a cost in these lines mean. */
export function notesOn(lines: string): string[] {
  return [
    ...(lines.includes('~$') ? ['~ The likely cost of responses whose tokens are not known, by priced runs.'] : []),
    ...(/~\$[\d,.]+\+/.test(lines) ? ['~…+ Some of these have no estimate, so the likely cost is higher.'] : []),
    ...(lines.includes('≤$') ? ['≤ The most that responses whose tokens are not known can cost.'] : []),
  ];
}

/** A plus marks a sum in which some responses have no price, because it is a lower bound. */
function costCell(sum: WasteSum): string {
  const open = openCell(sum);
  if (nothingKnown(sum)) return open === UNBOUNDED ? 'not known' : open;
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
  if (likelyCost(sum) !== '') return `~${usd(sum.likely_cost_usd_micros)}${sum.unestimated > 0 ? '+' : ''}`;
  if (pending + unknown === 0) return '';
  return unbounded > 0 ? UNBOUNDED : `≤${usd(most)}`;
}

function percentage(sum: WasteSum): number | string {
  const { total_tokens, used_total_tokens } = sum;
  const all = total_tokens + used_total_tokens;
  if (nothingKnown(sum)) return '–';
  return all === 0 ? 0 : Math.round((100 * total_tokens) / all);
}

/** A response that is watched may show a usage without a price, so they may be more than those that are known. */
function isPartlyPriced({ unpriced, cost_usd_micros: cost, responses, pending, unknown }: WasteSum): boolean {
  return unpriced > 0 && (cost > 0 || unpriced < responses - pending - unknown);
}
