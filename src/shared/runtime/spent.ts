import type { LedgerRow } from '../contract/ledger.ts';
import { usd, whole } from './format.ts';

export interface Spent {
  /** Null while nothing is known of any response. */
  total_tokens: number | null;
  /** In millionths of a dollar; null if nothing is known, or if no price is. */
  cost_usd_micros: number | null;
  /** False if the tokens of a response are missing in these sums: then they say only what is known. */
  is_whole: boolean;
  /** False if the cost leaves out tokens that have no known price. */
  is_priced: boolean;
}

/** What the responses of a job used, as far as that is known. */
export function spentOn(rows: LedgerRow[]): Spent {
  const usages = rows.flatMap(({ usage }) => usage ?? []);
  const costs = rows.flatMap(({ usage, cost_usd_micros: cost }) => (usage === null || cost === null ? [] : [cost]));
  const sum = (numbers: number[]) => numbers.reduce((left, right) => left + right, 0);
  return {
    total_tokens: usages.length === 0 ? null : sum(usages.map(({ total_tokens }) => total_tokens)),
    cost_usd_micros: costs.length === 0 ? null : sum(costs),
    is_whole: usages.length === rows.length && rows.every(({ status }) => status === 'final'),
    is_priced: costs.length === usages.length,
  };
}

/** What the responses without a known usage probably cost, or else at most; empty if neither is known of each of them. A model without a price has none. */
export function expectedCost(rows: LedgerRow[]): string {
  const open = withoutUsage(rows);
  if (open.some(hasNoPrice)) return 'no price';
  return inWords(
    open.map(row => row.likely_cost_usd_micros),
    open.map(row => row.most_cost_usd_micros),
    usd,
  );
}

/** How many tokens they probably have, or else at most. */
export function expectedTokens(rows: LedgerRow[]): string {
  const open = withoutUsage(rows);
  return inWords(
    open.map(row => row.likely_tokens),
    open.map(row => row.most_tokens),
    whole,
  );
}

/** Its model has run, and no price was known for it. */
function hasNoPrice({ likely_tokens: tokens, likely_cost_usd_micros: cost }: LedgerRow): boolean {
  return typeof tokens === 'number' && cost === null;
}

function withoutUsage(rows: LedgerRow[]): LedgerRow[] {
  return rows.filter(({ usage }) => usage === null);
}

function inWords(likely: (number | null)[], most: (number | null)[], shown: (sum: number) => string): string {
  const sumOf = (numbers: (number | null)[]) =>
    numbers.some(number => typeof number !== 'number')
      ? null
      : numbers.reduce<number>((sum, number) => sum + (number ?? 0), 0);
  if (likely.length === 0) return '';
  const [about, bound] = [sumOf(likely), sumOf(most)];
  if (about !== null) return `about ${shown(about)}`;
  return bound === null ? '' : `at most ${shown(bound)}`;
}
