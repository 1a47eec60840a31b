import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { jobStatusSchema, openStatuses } from '../../src/shared/contract/words.ts';

const lua = (name: string) => readFileSync(new URL(`../../src/shared/store/lua/${name}.ts`, import.meta.url), 'utf8');

/** The arrows that the scripts' one setter, `move`, can draw, by the script that calls it. */
function arrowsOfTheCode(): Set<string> {
  const arrows = new Set<string>();
  const moves = (name: string) => {
    const direct = [...lua(name).matchAll(/\bmove\([\w.]+, job, '(\w+)'\)/g)].map(match => match[1]);
    return lua(name).includes('return queue_again(') ? [...direct, 'queued'] : direct;
  };
  expect(lua('hold-part')).toContain("move(id, job, 'queued')");
  for (const name of ['accept', 'adopt']) for (const to of moves(name)) arrows.add(`[*] --> ${to}`);
  for (const to of moves('intend')) arrows.add(`queued --> ${to}`);
  for (const to of moves('tie-part')) for (const from of ['launching', 'queued']) arrows.add(`${from} --> ${to}`);
  for (const to of moves('resolve')) arrows.add(`launching --> ${to}`);
  for (const to of moves('rerun')) for (const from of ['launching', 'running']) arrows.add(`${from} --> ${to}`);
  // `finish` moves to the outcome that its caller decided.
  expect(lua('finish-part')).toContain('move(id, job, outcome.status)');
  for (const from of openStatuses) for (const to of ['failed', 'cancelled', 'expired']) arrows.add(`${from} --> ${to}`);
  for (const to of ['completed', 'incomplete']) arrows.add(`running --> ${to}`);
  return arrows;
}

test('the diagram in docs/state-machine.md has the arrows of the scripts, and no other', () => {
  const text = readFileSync(new URL('../../docs/state-machine.md', import.meta.url), 'utf8');
  const diagram = /```mermaid\nstateDiagram-v2\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  const drawn = [...diagram.matchAll(/^\s*(\[\*\]|\w+) --> (\w+)/gm)].map(([, from, to]) => `${from} --> ${to}`);
  expect(new Set(drawn)).toEqual(arrowsOfTheCode());
  const states = new Set(drawn.flatMap(arrow => arrow.split(' --> ')).filter(state => state !== '[*]'));
  expect(states).toEqual(new Set(jobStatusSchema.options));
});

test('no script but the setter writes a status', () => {
  for (const name of [
    'accept',
    'adopt',
    'attach-stream',
    'append-events',
    'detach-stream',
    'intend',
    'launched',
    'tie-part',
    'identify',
    'resolve',
    'decide',
    'rerun',
    'charge',
    'absent',
    'release',
    'erase',
    'forget',
  ])
    expect(lua(name), name).not.toMatch(/'HSET', place, '?status|HSET.*'status'/);
  expect(lua('script').match(/'HSET', key\('job', id\), 'status'/g)).toHaveLength(1);
});
