import { expect, test } from 'vitest';
import { wasteTable } from '../../src/cli/reports/waste-table.ts';
import { averageOf, usedCost, wastedCost } from '../../src/shared/runtime/waste-words.ts';
import { emptySum } from '../../src/shared/store/waste.ts';

const nothing = emptySum('gpt-5.5');
const open = { responses: 4, pending: 1, unknown: 3, most_cost_usd_micros: 120_000_000 };

test.for([
  ['nothing was wasted', {}, '$0.00'],
  ['all is known', { responses: 2, cost_usd_micros: 500_000 }, '$0.50'],
  ['no model has a price', { responses: 2, unpriced: 2 }, 'no price'],
  ['one has none', { responses: 3, unpriced: 1, cost_usd_micros: 500_000 }, '$0.50 + 1 without price'],
  ['none is known, and all are estimated', { ...open, likely_cost_usd_micros: 60_000 }, 'about $0.06'],
  [
    'none is known, and some are estimated',
    { ...open, likely_cost_usd_micros: 60_000, unestimated: 1 },
    'about $0.06 for 3 of 4',
  ],
  ['none is estimated', { ...open, unestimated: 4 }, 'at most $120.00'],
  ['nothing bounds them, and one may still be seen', { ...open, unestimated: 4, unbounded: 1 }, 'not known yet'],
  ['nothing bounds them for good', { ...open, pending: 0, unknown: 4, unestimated: 4, unbounded: 1 }, 'not known'],
  [
    'one is known and has a price',
    { ...open, responses: 5, cost_usd_micros: 50_000, unestimated: 4 },
    '$0.05 + at most $120.00',
  ],
  [
    'one is known, and nothing bounds the others',
    { ...open, responses: 5, cost_usd_micros: 50_000, unestimated: 4, unbounded: 1 },
    '$0.05 + 4 not known',
  ],
  [
    'one is known, and one shows a usage without a price while it is watched',
    { responses: 2, pending: 1, unpriced: 1, cost_usd_micros: 500_000, unbounded: 1, unestimated: 1 },
    '$0.50 + 1 without price + 1 not known',
  ],
  [
    'the one that is known has no price',
    { ...open, responses: 5, unpriced: 1, unestimated: 4 },
    'no price + at most $120.00',
  ],
] as const)('unknown is never zero, in words: %s', ([, sum, words]) => {
  expect(wastedCost({ ...nothing, ...sum })).toBe(words);
});

test('tokens without a price are not free', () => {
  const used = { ...nothing, used_responses: 3, used_total_tokens: 30, used_cost_usd_micros: 20_000 };
  expect(usedCost(used)).toBe('$0.02');
  expect(usedCost({ ...used, used_unpriced: 1 })).toBe('$0.02 + 1 without price');
  expect(usedCost({ ...used, used_cost_usd_micros: 0, used_unpriced: 3 })).toBe('no price');
  expect(usedCost({ ...used, used_unknown: 1 })).toBe('$0.02 + 1 not known');
  const unseen = { ...nothing, used_responses: 1, used_unknown: 1 };
  expect(usedCost(unseen)).toBe('not known');
  expect(averageOf(unseen)).toBeUndefined();
  expect(averageOf({ ...used, used_unpriced: 1 })).toEqual({ tokens: 10, cost: 10_000 });
  expect(averageOf({ ...used, used_cost_usd_micros: 0, used_unpriced: 3 })).toEqual({ tokens: 10, cost: null });
});

test.for([
  [
    'an estimate',
    { ...open, responses: 5, cost_usd_micros: 50_000, likely_cost_usd_micros: 60_000 },
    '$0.05 and ~$0.06',
    '~',
  ],
  ['an estimate of some', { ...open, likely_cost_usd_micros: 60_000, unestimated: 1 }, '~$0.06+', '~…+'],
  ['a bound', { ...open, unestimated: 4 }, '≤$120.00', '≤'],
  ['no bound', { ...open, responses: 5, cost_usd_micros: 50_000, unestimated: 4, unbounded: 1 }, '$0.05 and ?', '?'],
  [
    'a price that is not known',
    { responses: 2, pending: 1, unpriced: 1, cost_usd_micros: 500_000 },
    '$0.50+ and ',
    '+',
  ],
] as const)('a table at a terminal marks %s, and says below what the mark means', ([, sum, cell, mark]) => {
  const lines = wasteTable('cause', [{ ...nothing, ...sum }]).split('\n');
  expect(lines[2]).toContain(cell);
  expect(lines.slice(3).some(line => line.startsWith(`${mark} `))).toBe(true);
});
