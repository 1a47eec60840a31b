import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { jobStatusSchema, openStatuses, outcomeStatuses, transitions } from '../../src/shared/contract/words.ts';

const lua = new URL('../../src/shared/store/lua/', import.meta.url);

test('docs/state-machine.md draws the table of transitions, and nothing else', () => {
  const text = readFileSync(new URL('../../docs/state-machine.md', import.meta.url), 'utf8');
  const diagram = /```mermaid\nstateDiagram-v2\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  const drawn = [...diagram.matchAll(/^\s*(\[\*\]|\w+) --> (\w+)/gm)].map(([, from, to]) => `${from} --> ${to}`);
  const listed = Object.entries(transitions).flatMap(([from, targets]) =>
    targets.map(to => `${from === 'none' ? '[*]' : from} --> ${to}`),
  );
  expect(drawn.toSorted()).toEqual(listed.toSorted());
});

test('I2: every status can be reached, and no transition leaves an outcome', () => {
  expect(new Set(Object.values(transitions).flat())).toEqual(new Set(jobStatusSchema.options));
  expect(Object.keys(transitions)).toEqual(['none', ...openStatuses]);
  for (const outcome of outcomeStatuses) expect(transitions).not.toHaveProperty(outcome);
});

test('only `move` writes a status of a job, and it refuses what is not in the table', () => {
  for (const name of readdirSync(lua)) {
    const source = readFileSync(new URL(name, lua), 'utf8');
    // A cancellation's status is not a job's status.
    if (name === 'cancellations.ts') continue;
    const writers = source.match(/'HSET', [^\n]*'status'/g) ?? [];
    expect(writers, name).toHaveLength(name === 'script.ts' ? 1 : 0);
    // Nor do the fields that are written with it have one.
    const named = source.split('\n').filter(line => /'status', /.test(line) && !/'HM?GET'|key\('status', /.test(line));
    expect(named, name).toHaveLength(name === 'script.ts' ? 1 : 0);
    expect(source, name).not.toMatch(/fields\.status = /);
  }
  expect(readFileSync(new URL('script.ts', lua), 'utf8')).toContain(
    "if not transitions:find(' ' .. from .. '>' .. status .. ' ', 1, true) then\n    error(",
  );
});
