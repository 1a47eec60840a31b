// Every regular expression of the product, because outside text meets most of them: none takes long, whatever the text (ReDoS).
import { globSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { type Node, parse } from 'acorn';
import { checkSync } from 'recheck';
import { expect, test } from 'vitest';

interface Found {
  file: string;
  source: string;
  flags: string;
}

/** The literals in a file, and the arguments of `RegExp` that are literals. Any other argument is an error. */
function expressionsIn(file: string): Found[] {
  const text = readFileSync(file, 'utf8');
  const code = file.endsWith('.ts') ? stripTypeScriptTypes(text) : text;
  const found: Found[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const { regex, callee } = node as { regex?: { pattern: string; flags: string }; callee?: { name?: string } };
    if (regex) found.push({ file, source: regex.pattern, flags: regex.flags });
    if (callee?.name === 'RegExp') throw new Error(`${file} makes a regular expression of a text.`);
    for (const one of Object.values(node)) visit(one);
  };
  visit(parse(code, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true }) as Node);
  return found;
}

const files = globSync(['src/**/*.ts', 'src/**/*.js'], { exclude: ['src/**/*.d.ts'] });
const expressions = files.flatMap(expressionsIn);
const different = new Map(expressions.map(one => [`/${one.source}/${one.flags}`, one]));

test('there are some, in the places where text comes in', () => {
  expect(expressions.length).toBeGreaterThan(30);
  for (const place of ['src/server/access/', 'src/provider/', 'src/shared/runtime/', 'src/cli/'])
    expect(
      expressions.some(({ file }) => file.startsWith(place)),
      place,
    ).toBe(true);
});

test.for([...different.values()])('$file: /$source/$flags', { timeout: 30_000 }, ({ source, flags }) => {
  const { status, ...found } = checkSync(source, flags);
  expect(status, JSON.stringify(found).slice(0, 400)).toBe('safe');
});
