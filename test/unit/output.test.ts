import { expect, test } from 'vitest';
import { table } from '../../src/cli/terminal/table.ts';
import { widthOf, wrapped } from '../../src/cli/terminal/width.ts';
import { counted, shortWhole, usd } from '../../src/shared/runtime/format.ts';

test('prose breaks between words, keeps its indent, and loses none', () => {
  const text = '   The ledger against the provider’s own: 30 responses there';
  expect(wrapped(text, 26).split('\n')).toEqual([
    '   The ledger against the',
    '   provider’s own: 30',
    '   responses there',
  ]);
  expect(wrapped('   a-word-that-is-longer-than-the-line', 10)).toBe('   a-word-that-is-longer-than-the-line');
  expect(wrapped(text, 100)).toBe(text);
});

test('a table: numbers grouped and to the right, headers of several lines, no blanks at the end of a line', () => {
  expect(
    table(
      ['MODEL', 'USED\nTOKENS', 'COST'],
      [
        ['o3', 12, '$1'],
        ['gpt-5.5', 1234, ''],
      ],
    ),
  ).toBe(['           USED', 'MODEL    TOKENS  COST', 'o3           12  $1', 'gpt-5.5   1,234'].join('\n'));
});

test('one is one, and a thousand has a comma', () => {
  expect([0, 50_000, 1_234_567_890].map(usd)).toEqual(['$0.00', '$0.05', '$1,234.57']);
  expect([999_999, 1_700_000, 1_700_000_000].map(shortWhole)).toEqual(['999,999', '1.7M', '1.7B']);
  expect([0, 1, 1000].map(number => counted(number, 'job'))).toEqual(['0 jobs', '1 job', '1,000 jobs']);
});

test('a column that is shortened last keeps its text until the others are as narrow as they may be', () => {
  const id = 'resp_0123456789abcdef';
  const rows = [[id, 'a long reason for all this', 'gpt-5.5-mini']];
  const shown = table(['ID', 'REASON', 'MODEL'], rows, { width: 38, shortenedLast: [0] });
  expect(shown).toContain(id);
  for (const line of shown.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(38);
  const narrow = table(['ID', 'REASON', 'MODEL'], rows, { width: 30, shortenedLast: [0] });
  expect(narrow).toContain('a lon…  gpt-5…');
  for (const line of narrow.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(30);
});

test('a table fits its width: the widest columns of text are shortened, numbers and whole words of short columns stay', () => {
  const rows = [['resp_0123456789', 'completed', 'a prompt that goes on for long 🌊🌊🌊', 12_345]];
  const narrow = table(['ID', 'STATUS', 'PROMPT', 'TOKENS'], rows, { width: 50 });
  for (const line of narrow.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(50);
  expect(narrow).toContain('completed');
  expect(narrow).toContain('12,345');
  expect(narrow).toContain('…');
  expect(table(['ID', 'STATUS', 'PROMPT', 'TOKENS'], rows, { width: 500 })).not.toContain('…');
  // Colour is no part of a width.
  const painted = table(['A', 'B'], [['x', 'y']], { paint: cell => `\u001b[31m${cell}\u001b[39m` });
  expect(painted.split('\n')[1]).toBe('\u001b[31mx\u001b[39m  \u001b[31my\u001b[39m');
});
