// Breaks one safety of the product at a time and runs its test, which must fail: a test that passes without the thing that
// it tests proves nothing.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Mutant, mutants } from './mutant-list.ts';
import { hasRedisServer } from './redis-server.ts';
import { binaries, root, runFile } from './run-file.ts';

/** The slowest of these tests takes half a minute. */
const LIMIT_MS = 180_000;
const AT_ONCE = 2;

/** Prints which mutants their tests caught. Throws if one no longer fits its file, or if its test fails without it. */
export async function runMutants(): Promise<{ caught: number; survived: string[] }> {
  const survived: string[] = [];
  const tried = mutants.filter(({ needsRedisServer }) => !needsRedisServer || hasRedisServer());
  for (const { name } of mutants.filter(mutant => !tried.includes(mutant)))
    process.stdout.write(`not tried  ${name}  (redis-server is not on the PATH)\n`);
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

async function isCaughtByItsTest({ name, edits, test, pattern }: Mutant): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'headstone-mutant-'));
  try {
    for (const part of ['src', 'test', 'tools', 'package.json', 'tsconfig.json', 'vitest.config.ts'])
      cpSync(join(root, part), join(folder, part), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const run = () => runTest(folder, test, pattern);
    // The test must pass on the unchanged copy, because otherwise any failure would count as a catch.
    if ((await run()).failed > 0) throw new Error(`The test for "${name}" fails without the mutant.`);
    for (const { file, from, to } of edits) {
      const path = join(folder, file);
      const healthy = readFileSync(path, 'utf8');
      if (!healthy.includes(from))
        throw new Error(`The mutant "${name}" no longer fits ${file}: mend tools/mutant-list.ts.`);
      writeFileSync(path, healthy.replaceAll(from, to));
    }
    const { ran, failed } = await run();
    return ran > 0 && failed > 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function runTest(folder: string, test: string, pattern: string): Promise<{ ran: number; failed: number }> {
  const report = join(folder, 'report.json');
  const args = ['run', test, '-t', pattern, '--reporter=json', `--outputFile=${report}`];
  rmSync(report, { force: true });
  await runFile(binaries.vitest, args, { folder, quiet: true, limitMs: LIMIT_MS });
  // A test that never ends has failed, too.
  if (!existsSync(report)) return { ran: 1, failed: 1 };
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>;
  const failed = numFailedTests ?? 0;
  return { ran: (numPassedTests ?? 0) + failed, failed };
}

if (import.meta.main) process.exitCode = (await runMutants()).survived.length === 0 ? 0 : 1;
