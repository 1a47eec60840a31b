import { expect, test } from 'vitest';
import { piecesOf, previewOf } from '../../src/producer/preview.ts';
import type { Job } from '../../src/shared/contract/job.ts';
import type { LedgerRow } from '../../src/shared/contract/ledger.ts';
import { outcomeSentence, priceSentence } from '../../src/shared/runtime/outcome-sentence.ts';
import { phasesOf } from '../../src/shared/runtime/phases.ts';
import { answerOf, answerText, promptOf } from '../../src/shared/runtime/readable.ts';
import { spentOn } from '../../src/shared/runtime/spent.ts';
import { repetition, type StoryLine, tellStory } from '../../src/shared/runtime/story.ts';

const refusals = Array.from({ length: 10 }, (_, n) => [
  { at: 100 + n * 1000, event: 'launching', epoch: n },
  { at: 150 + n * 1000, event: 'launch_refused', epoch: n, code: 'rate_limit_exceeded' },
]).flat();
const timeline = [
  { at: 0, event: 'enqueued' },
  ...refusals,
  { at: 20_000, event: 'launching', epoch: 11 },
  { at: 20_100, event: 'launch_acknowledged', epoch: 11, response_id: 'resp_up' },
  { at: 25_100, event: 'cancelled', actor: 'alice', reason: 'wrong' },
  { at: 31_100, event: 'settled', status: 'final', total_tokens: 1700, cost_usd_micros: 30_000 },
];

test('what was repeated is told once, with how often and why', () => {
  const lines = tellStory(timeline);
  expect(lines.map(({ text }) => text)).toEqual([
    'Enqueued.',
    'The provider refused the launch: rate_limit_exceeded.',
    'Sent to the provider.',
    'The provider accepted the launch as resp_up.',
    'Cancelled by alice: “wrong”. No result will ever be shown.',
    'The charge is known: 1,700 tokens wasted, $0.03.',
  ]);
  expect(lines.map(repetition).filter(Boolean)).toEqual(['10 times within 9.0 s']);
  // Another reason is another line.
  const two = tellStory([
    { at: 0, event: 'launch_refused', code: 'a' },
    { at: 1, event: 'launch_refused', code: 'b' },
  ]);
  expect(two).toHaveLength(2);
});

test('the phases of a job add up to its life, and a watch ends when its tokens are known', () => {
  const job = { timeline, created_at: 0, ledger: [{ kind: 'wasted', status: 'final' }] } as unknown as Job;
  const spans = phasesOf(job, 99_000);
  expect(spans.reduce((sum, { ms }) => sum + ms, 0)).toBe(31_100);
  expect(spans.at(-1)).toEqual({ phase: 'watched', ms: 6000 });
  expect(spans.at(-2)).toEqual({ phase: 'running', ms: 5000 });
  const pending = { ...job, ledger: [...job.ledger, { kind: 'wasted', status: 'pending' }] } as Job;
  expect(phasesOf(pending, 99_000).at(-1)).toEqual({ phase: 'watched', ms: 99_000 - 25_100 });
  const waiting = { timeline: timeline.slice(0, 1), created_at: 0, ledger: [] } as unknown as Job;
  expect(phasesOf(waiting, 7000)).toEqual([{ phase: 'queued', ms: 7000 }]);
});

test('a prompt and an answer are read as people read them: text, structured output, tools, refusals', () => {
  const request = {
    instructions: 'Be brief.',
    tools: [{ type: 'function', name: 'search' }],
    input: [
      { role: 'user', content: [{ type: 'input_text', text: 'Hello' }, { type: 'input_image' }] },
      { type: 'function_call_output', output: '{"found":1}' },
    ],
  };
  expect(promptOf(request)).toEqual([
    { kind: 'message', title: 'instructions', text: 'Be brief.' },
    { kind: 'message', title: 'user', text: 'Hello' },
    { kind: 'note', title: 'user', text: '(input image)' },
    { kind: 'data', title: 'function call output', text: '{\n  "found": 1\n}' },
    { kind: 'note', title: 'tools', text: 'search' },
  ]);
  const output = [
    { type: 'reasoning', summary: [{ text: 'Thought.' }] },
    { type: 'function_call', name: 'search', arguments: '{"q":"x"}' },
    {
      type: 'message',
      role: 'assistant',
      content: [
        { type: 'output_text', text: '{"a":1}' },
        { type: 'refusal', refusal: 'No.' },
      ],
    },
    null,
    7,
  ];
  expect(answerOf({ output }).map(({ kind, title }) => `${kind} ${title}`)).toEqual([
    'message reasoning',
    'data function call search',
    'data assistant',
    'message assistant, refusing',
  ]);
  expect(answerText({ output })).toBe('{"a":1}');
  for (const odd of [undefined, 'text', [[]], [{ type: 'message', content: 7 }], [{ content: [{ text: 9 }] }]])
    expect(() => answerOf({ output: odd })).not.toThrow();
});

test('a preview is one line of at most 120 characters, in pieces of at most 60 bytes, and no character is cut', () => {
  const emoji = '🌊'.repeat(300);
  const preview = previewOf(`  a\n\tb ${emoji}`);
  expect([...preview]).toHaveLength(120);
  expect(preview.startsWith('a b 🌊')).toBe(true);
  const pieces = piecesOf(preview);
  expect(pieces.join('')).toBe(preview);
  for (const piece of pieces) expect(Buffer.byteLength(piece)).toBeLessThanOrEqual(60);
  expect(piecesOf('')).toEqual([]);
  expect(previewOf([{ role: 'system', content: 'Rules' }])).toBe('Rules');
  expect(previewOf([{ type: 'input_image' }, null, 'x'])).toBe('');
});

test('what a job used is whole only if every response is known, and priced only if every price is', () => {
  const row = (total: number | null, cost: number | null, status = 'final') =>
    ({ usage: total === null ? null : { total_tokens: total }, cost_usd_micros: cost, status }) as unknown as LedgerRow;
  const all = { is_whole: true, is_priced: true };
  expect(spentOn([row(10, 5), row(20, 7)])).toEqual({ total_tokens: 30, cost_usd_micros: 12, ...all });
  expect(spentOn([row(10, 5), row(null, null, 'unknown')])).toMatchObject({ total_tokens: 10, is_whole: false });
  expect(spentOn([row(10, null)])).toEqual({ total_tokens: 10, cost_usd_micros: null, ...all, is_priced: false });
  expect(spentOn([])).toEqual({ total_tokens: null, cost_usd_micros: null, ...all });
});

test('runs that failed alike are told once, with the launch of the first', () => {
  const runs = Array.from({ length: 20 }, (_, n) => [
    { at: n * 6000, event: 'launching', epoch: n },
    { at: n * 6000 + 100, event: 'launch_acknowledged', epoch: n, response_id: `resp_${n}` },
    { at: n * 6000 + 300, event: 'rerun', code: n < 19 ? 'rate_limit_exceeded' : 'server_error' },
  ]).flat();
  const lines = tellStory(runs);
  expect(lines.map(({ event, times }) => [event, times])).toEqual([
    ['launching', 1],
    ['launch_acknowledged', 1],
    ['rerun', 19],
    ['launching', 1],
    ['launch_acknowledged', 1],
    ['rerun', 1],
  ]);
  expect(repetition(lines[2] as StoryLine)).toBe('19 times within 1 min 48 s');
});

test('what several responses of a job came to is said once', () => {
  const row = { kind: 'wasted', status: 'unknown', usage: null } as unknown as LedgerRow;
  const job = { launches: [], ledger: [row, row, row] } as unknown as Job;
  expect(priceSentence(job)).toBe('The provider never showed what it cost (each of 3 responses).');
});

test('a job whose last create was lost tells what its earlier run cost, and says of the lost one only once that it may be charged', () => {
  const message = 'The create got no usable answer. The provider may have run and billed it, so a retry may pay twice.';
  const outcome = { status: 'failed', error: { code: 'launch_unknown', message } };
  const run = { kind: 'wasted', status: 'final', usage: { total_tokens: 500 }, cost_usd_micros: 20_000 };
  const lost = { state: 'unknown' };
  const told = (launches: unknown[], ledger: unknown[]) =>
    outcomeSentence(
      { status: 'failed', created_at: 0, decided_at: 1000, outcome, launches, ledger } as unknown as Job,
      1000,
    );
  expect(told([lost], [])).toBe(`Failed after 1.0 s: ${message}`);
  expect(told([{ state: 'acknowledged' }, lost], [run])).toBe(
    `Failed after 1.0 s: ${message} Wasted: 500 tokens, $0.02.`,
  );
  expect(told([lost, lost], [])).toContain('billed 2 creates whose response id never came back');
});
