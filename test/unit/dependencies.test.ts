import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

test('docs/dependencies.md says why each package is here, and names none that is not', () => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
  const named = [...read('docs/dependencies.md').matchAll(/`([@\w/-]+(?:\.js)?)`/g)].map(([, name]) => name);
  const installed = Object.keys({ ...dependencies, ...devDependencies });
  const ours = new Set(['createFetch', '/docs']);
  expect(named.filter(name => !ours.has(name ?? '')).sort()).toEqual(installed.sort());
});
