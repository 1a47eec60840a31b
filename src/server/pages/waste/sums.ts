import { html } from 'ghtml';
import type { WasteDimension, WasteSum } from '../../../shared/contract/ledger.ts';
import { whole } from '../../../shared/runtime/format.ts';
import { isComparable, nothingKnown, notKnown, wastedCost } from '../../../shared/runtime/waste-words.ts';
import { type Column, pathOf, table } from '../parts.ts';

/** The days and the tenant that a page of the waste is about. */
export interface Period {
  since: string | undefined;
  until: string | undefined;
  tenant: string | undefined;
}

/** What a sum is called that stands for rows without a value. */
export function nameOf(by: WasteDimension, key: string): string {
  if (key !== '') return key;
  return by === 'reason' ? '(no reason given: also failed and expired)' : '(no actor given: also failed and expired)';
}

/** The page of the wasted responses behind a sum. */
export function rowsPath(by: WasteDimension, key: string, period: Period): string {
  if (by === 'day') return pathOf('/waste/responses', { ...period, kind: 'wasted', since: key, until: key });
  const path = pathOf('/waste/responses', { ...period, kind: 'wasted', by });
  return `${path}&key=${encodeURIComponent(key)}`;
}

/** Wasted tokens. They are a number only once something is known: unknown is never zero. */
export function tokensOf(sum: WasteSum): string {
  return nothingKnown(sum) ? notKnown(sum) : whole(sum.total_tokens);
}

/** Wasted tokens with their unit, for a headline. */
export function wastedTokens(sum: WasteSum): string {
  return nothingKnown(sum) ? notKnown(sum) : `${whole(sum.total_tokens)} tokens`;
}

/** A share is told only once something is known of the waste, and says whether it may still grow. */
export function shareOf(sum: WasteSum): string {
  const { total_tokens, used_total_tokens, pending, unknown } = sum;
  const all = total_tokens + used_total_tokens;
  return all === 0 || nothingKnown(sum)
    ? '–'
    : `${((100 * total_tokens) / all).toFixed(1)}%${pending + unknown > 0 ? '+' : ''}`;
}

/** Sums as a table. Each name leads to the responses behind it. */
export function sumsTable(by: WasteDimension, sums: WasteSum[], period: Period): string {
  const comparable = isComparable(by);
  const columns: Column[] = [
    { name: by[0]?.toUpperCase() + by.slice(1), wraps: true },
    { name: 'Wasted tokens', numeric: true },
    { name: 'Cost', numeric: true },
    { name: 'Responses', numeric: true },
    { name: 'Pending', numeric: true },
    { name: 'Unknown', numeric: true },
    ...(comparable
      ? [
          { name: 'Used tokens', numeric: true },
          { name: 'Wasted', numeric: true },
        ]
      : []),
  ];
  return table(
    `Wasted and used tokens by ${by}`,
    columns,
    sums.map(sum => [
      sum.responses === 0
        ? html`${nameOf(by, sum.key)}`
        : html`<a href="${rowsPath(by, sum.key, period)}">${nameOf(by, sum.key)}</a>`,
      html`${tokensOf(sum)}`,
      html`${wastedCost(sum)}`,
      html`${whole(sum.responses)}`,
      html`${whole(sum.pending)}`,
      html`${whole(sum.unknown)}`,
      ...(comparable ? [html`${whole(sum.used_total_tokens)}`, shareOf(sum)] : []),
    ]),
  );
}
