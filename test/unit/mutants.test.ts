import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { mutants } from '../../tools/mutant-list.ts';

test.each(mutants)('the mutant "$name" changes one place of the code for each edit, and its test exists', mutant => {
  const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
  for (const { file, from } of mutant.edits) expect(read(file).split(from).length - 1, `${file}: ${from}`).toBe(1);
  expect(existsSync(new URL(`../../${mutant.test}`, import.meta.url)), mutant.test).toBe(true);
});
