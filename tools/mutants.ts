// Breaks one safety of the product at a time and runs its test, which must fail: a test that passes without the thing that
// it tests proves nothing.
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type Mutant, mutants } from './mutant-list.ts';
import { hasRedisServer } from './redis-server.ts';
import { binaries, root, runFile } from './run-file.ts';
import type { Report } from './suite.ts';

/** The slowest of these tests takes half a minute. */
const LIMIT_MS = 180_000;
const AT_ONCE = 2;

interface Ran {
  file: string;
  name: string;
  hasPassed: boolean;
  /** Why it failed. */
  failure: string | undefined;
}

/** Prints which mutants their tests caught. Throws if one no longer fits its file, or if its test fails without it. */
export async function runMutants(): Promise<{ caught: number; survived: string[] }> {
  const survived: string[] = [];
  const tried = mutants.filter(({ needsRedisServer }) => !needsRedisServer || hasRedisServer());
  for (const { name } of mutants.filter(mutant => !tried.includes(mutant)))
    process.stdout.write(`not tried  ${name}  (redis-server is not on the PATH)\n`);
  await proveTests(tried);
  const left = [...tried];
  const work = async () => {
    for (let mutant = left.shift(); mutant; mutant = left.shift()) {
      const isCaught = await isCaughtByItsTest(mutant);
      if (!isCaught) survived.push(mutant.name);
      process.stdout.write(`${isCaught ? 'caught  ' : 'SURVIVED'}  ${mutant.name}  (${mutant.test})\n`);
    }
  };
  // A test waits more than it works.
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { caught: tried.length - survived.length, survived };
}

/** The tests of all mutants must pass on the healthy code, because otherwise any failure would count as a catch. */
async function proveTests(tried: Mutant[]): Promise<void> {
  const folder = copyOfProject();
  try {
    const files = new Set(tried.map(({ test }) => test));
    const ran = await runTests(folder, [...files], tried.map(({ pattern }) => pattern).join('|'));
    for (const { name, test, pattern } of tried) {
      const own = ran?.filter(one => one.file === test && new RegExp(pattern).test(one.name)) ?? [];
      if (own.length === 0 || own.some(({ hasPassed }) => !hasPassed))
        throw new Error(
          `The test for "${name}" does not pass without the mutant. ${own.map(({ failure }) => failure ?? '').join('\n')}`,
        );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function isCaughtByItsTest({ name, edits, test, pattern }: Mutant): Promise<boolean> {
  const folder = copyOfProject();
  try {
    for (const { file, from, to } of edits) {
      const path = join(folder, file);
      const healthy = readFileSync(path, 'utf8');
      if (!healthy.includes(from))
        throw new Error(`The mutant "${name}" no longer fits ${file}: mend tools/mutant-list.ts.`);
      writeFileSync(path, healthy.replaceAll(from, to));
    }
    const ran = await runTests(folder, [test], pattern);
    // A test that never ends has failed, too.
    return ran === null || ran.some(({ hasPassed }) => !hasPassed);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function copyOfProject(): string {
  // Vitest names files by their real path.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'headstone-mutant-')));
  for (const part of ['src', 'test', 'tools', 'package.json', 'tsconfig.json', 'vitest.config.ts'])
    cpSync(join(root, part), join(folder, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** The tests whose names match the pattern, or null if they did not end. */
async function runTests(folder: string, files: string[], pattern: string): Promise<Ran[] | null> {
  const report = join(folder, 'report.json');
  const args = ['run', ...files, '-t', pattern, '--reporter=json', `--outputFile=${report}`];
  await runFile(binaries.vitest, args, { folder, quiet: true, limitMs: LIMIT_MS });
  if (!existsSync(report)) return null;
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Pick<Report, 'testResults'>;
  return testResults.flatMap(({ name: path, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'passed' || status === 'failed')
      .map(({ title, status, failureMessages }) => ({
        file: relative(folder, path),
        name: title,
        hasPassed: status === 'passed',
        failure: failureMessages[0],
      })),
  );
}

if (import.meta.main) process.exitCode = (await runMutants()).survived.length === 0 ? 0 : 1;
