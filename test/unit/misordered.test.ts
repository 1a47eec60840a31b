import { expect, test } from 'vitest';
import { CLIENT_DISCONNECTED } from '../../src/shared/contract/words.ts';
import { misordered, type Ordered } from '../fault/soak/misordered.ts';

type OrderedJob = Parameters<typeof misordered>[0][number];

const completed = (id: string, createdAt: number): OrderedJob => ({
  id,
  preview: 'Prompt 7',
  status: 'completed',
  created_at: createdAt,
  decided_at: createdAt + 100,
  tombstone: null,
});
const cancelled = (id: string, createdAt: number, decidedAt: number, reason: string): OrderedJob => ({
  ...completed(id, createdAt),
  status: 'cancelled',
  decided_at: decidedAt,
  tombstone: { cause: 'cancelled', reason, actor: 'somebody', key_name: null, at: decidedAt },
});
const once: Ordered = { accepted: new Set(), sent: new Map([[7, 1]]), deserted: new Set() };

test.for<[string, OrderedJob[]]>([
  ['one create that made one job', [completed('one', 1)]],
  ['one whose caller came back after the grace', [cancelled('one', 1, 50, CLIENT_DISCONNECTED), completed('two', 60)]],
])('as ordered: %s', ([, jobs]) => expect(misordered(jobs, once)).toEqual([]));

test.for<[string, OrderedJob[], Partial<Ordered>, string]>([
  ['two jobs of one create', [completed('one', 1), completed('two', 60)], {}, 'I6: 1 creates'],
  [
    'a second one before the first was cancelled',
    [cancelled('one', 1, 70, CLIENT_DISCONNECTED), completed('two', 60)],
    {},
    'I6: 1 creates',
  ],
  [
    'a second one after a cancel by a user',
    [cancelled('one', 1, 50, 'changed their mind'), completed('two', 60)],
    {},
    'I6: 1 creates',
  ],
  [
    'three, of which one was left',
    [cancelled('one', 1, 50, CLIENT_DISCONNECTED), completed('two', 60), completed('three', 61)],
    {},
    'I6: 1 creates',
  ],
  ['one that is gone', [], { accepted: new Set(['one']) }, 'I5: one was accepted'],
  ['one that went on for nobody', [completed('one', 1)], { deserted: new Set([7]) }, 'The caller of one had left'],
])('not as ordered: %s', ([, jobs, more, complaint]) =>
  expect(misordered(jobs, { ...once, ...more })).toEqual([expect.stringContaining(complaint)]),
);
