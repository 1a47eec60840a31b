import { expect, test } from 'vitest';
import { unexplained } from '../fault/soak/explain.ts';
import type { Told } from '../fault/soak/history.ts';

const told = (
  by: Told['by'],
  askedAt: number,
  heardAt: number,
  said: Told['said'],
  more: Partial<Told> = {},
): Told => ({
  job: 'job',
  by,
  askedAt,
  heardAt,
  said,
  ...more,
});
const won = { won: true };
const explained: [string, Told[], number[]][] = [
  ['a result', [told('a read', 1, 2, 'open'), told('a wait', 1, 9, 'completed', { hasResult: true })], []],
  ['a cancel that won', [told('a cancel', 3, 5, 'cancelled', won), told('a read', 6, 7, 'cancelled')], []],
  ['a read that began before the cancel', [told('a cancel', 3, 5, 'cancelled', won), told('a read', 2, 9, 'open')], []],
  [
    'a stream that began before the cancel',
    [told('a cancel', 3, 5, 'cancelled', won), told('a stream', 2, 6, 'cancelled', { hasText: true })],
    [],
  ],
  ['a cancel whose answer was lost', [told('a read', 8, 9, 'cancelled')], [3]],
  ['a cancel that came too late', [told('a wait', 1, 4, 'completed'), told('a cancel', 5, 6, 'completed')], []],
];
test.for(explained)('%s is explained', ([, answers, unanswered]) => {
  const asked = unanswered.map(askedAt => ({ job: 'job', askedAt }));
  expect(unexplained({ told: answers, unanswered: asked })).toEqual([]);
});

const violations: [string, Told[]][] = [
  ['I2: it was said to be', [told('a cancel', 3, 5, 'cancelled', won), told('a read', 6, 7, 'completed')]],
  ['I2: two cancels', [told('a cancel', 3, 5, 'cancelled', won), told('a cancel', 6, 7, 'cancelled', won)]],
  [
    'I1: it was cancelled',
    [told('a cancel', 3, 5, 'cancelled', won), told('a read', 6, 7, 'cancelled', { hasResult: true })],
  ],
  [
    'I1: it was cancelled, and its text',
    [told('a cancel', 3, 5, 'cancelled', won), told('a stream', 6, 7, 'cancelled', { hasText: true })],
  ],
  ['I2: it was open again', [told('a cancel', 3, 5, 'cancelled', won), told('a read', 6, 7, 'open')]],
  ['I2: it was cancelled before', [told('a read', 1, 2, 'cancelled'), told('a cancel', 3, 5, 'cancelled')]],
  [
    'I2: a cancel won at a moment',
    [told('a read', 1, 2, 'cancelled'), told('a cancel', 0, 1, 'cancelled'), told('a cancel', 3, 5, 'cancelled', won)],
  ],
];
test.for(violations)('it finds “%s”', ([sentence, answers]) => {
  expect(unexplained({ told: answers, unanswered: [] })).toMatchObject([expect.stringContaining(sentence)]);
});
