import { expect, test } from 'vitest';
import type { LedgerRow } from '../../src/shared/contract/ledger.ts';
import { expectedCost, expectedTokens } from '../../src/shared/runtime/spent.ts';

const known = { usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 }, most_cost_usd_micros: 1 };
const bounded = { usage: null, most_tokens: 9000, most_cost_usd_micros: 90_000 };
const estimated = { ...bounded, likely_tokens: 1500, likely_cost_usd_micros: 20_000 };
const unpriced = { ...bounded, likely_tokens: 1500, likely_cost_usd_micros: null };
const open = {
  usage: null,
  likely_tokens: null,
  likely_cost_usd_micros: null,
  most_tokens: null,
  most_cost_usd_micros: null,
};

test.for([
  ['no response', [], '', ''],
  ['one whose usage is known', [known], '', ''],
  ['one that is estimated', [estimated], 'about 1,500', 'about $0.02'],
  ['one that is only bounded', [bounded], 'at most 9,000', 'at most $0.09'],
  ['one whose model has run and has no price', [unpriced], 'about 1,500', 'no price'],
  ['one of which nothing is known', [open], '', ''],
  ['two that are estimated, and one that is known', [estimated, known, estimated], 'about 3,000', 'about $0.04'],
  ['one that is estimated, and one that is bounded', [estimated, bounded], 'at most 18,000', 'at most $0.18'],
  ['one that is estimated, and one of which nothing is known', [estimated, open], '', ''],
] as const)(
  'what is not known is estimated as a whole, or bounded as a whole, or left open: %s',
  ([, rows, tokens, cost]) => {
    expect(expectedTokens(rows as unknown as LedgerRow[])).toBe(tokens);
    expect(expectedCost(rows as unknown as LedgerRow[])).toBe(cost);
  },
);
