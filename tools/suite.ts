// Runs vitest once, and keeps what a summary needs: the counts, every failure and the duration of each test.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { binaries, root, runFile } from './run-file.ts';

/** The longest suite of `.ci/run` takes a third of this. */
const LIMIT_MS = 30 * 60_000;

export interface SuiteResult {
  passed: number;
  failed: number;
  /** One text per failure: the file, the test and its messages. */
  failures: string[];
  tests: { name: string; ms: number }[];
}

/** What vitest writes with `--reporter=json`, as far as it is read here. */
export interface Report {
  numPassedTests: number;
  numFailedTests: number;
  testResults: {
    name: string;
    message: string;
    assertionResults: { title: string; status: string; duration?: number; failureMessages: string[] }[];
  }[];
}

const noReport: Report = { numPassedTests: 0, numFailedTests: 0, testResults: [] };

/** `args` go to vitest. Its output is shown while it runs. */
export async function runSuite(
  title: string,
  args: string[],
  env: Record<string, string> = {},
  limitMs = LIMIT_MS,
): Promise<SuiteResult> {
  process.stdout.write(`\n== ${title}\n`);
  const folder = mkdtempSync(join(tmpdir(), 'headstone-tests-'));
  const file = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const { code } = await runFile(binaries.vitest, ['run', ...reporters, ...args], { env, limitMs });
  const { numPassedTests, numFailedTests, testResults } = readReport(file);
  rmSync(folder, { recursive: true });
  const failures = testResults.flatMap(failuresOf).map(failure => `${title}: ${failure}`);
  if (code !== 0 && failures.length === 0)
    failures.push(`${title}: vitest ended with exit code ${code}, or hung and was ended; see its output above.`);
  return {
    passed: numPassedTests,
    // A file that could not be loaded has no failed test to count.
    failed: code !== 0 && numFailedTests === 0 ? 1 : numFailedTests,
    failures,
    tests: testResults.flatMap(({ name, assertionResults }) =>
      assertionResults.map(({ title, duration = 0 }) => ({ name: `${relative(root, name)} > ${title}`, ms: duration })),
    ),
  };
}

function failuresOf({ name, message, assertionResults }: Report['testResults'][number]): string[] {
  const file = relative(root, name);
  const failed = assertionResults.filter(({ status }) => status === 'failed');
  return [
    ...(message === '' ? [] : [`${file}\n${message}`]),
    ...failed.map(({ title, failureMessages }) => `${file} > ${title}\n${failureMessages.join('\n')}`),
  ];
}

function readReport(file: string): Report {
  try {
    return { ...noReport, ...JSON.parse(readFileSync(file, 'utf8')) };
  } catch {
    return noReport;
  }
}

/** Prints the slowest tests, every failure again and the sums, and sets the exit code. */
export function summarize(results: SuiteResult[]): void {
  const slowest = results
    .flatMap(({ tests }) => tests)
    .sort((a, b) => b.ms - a.ms)
    .slice(0, 10);
  if (slowest.length > 1) process.stdout.write('\nThe slowest tests:\n');
  if (slowest.length > 1)
    for (const { name, ms } of slowest) process.stdout.write(`${(ms / 1000).toFixed(1).padStart(7)} s  ${name}\n`);
  for (const failure of results.flatMap(({ failures }) => failures)) process.stdout.write(`\nFAILED  ${failure}\n`);
  const sum = (part: 'passed' | 'failed') => results.reduce((total, result) => total + result[part], 0);
  process.stdout.write(`\n${sum('passed')} passed, ${sum('failed')} failed\n`);
  process.exitCode = sum('failed') === 0 && sum('passed') > 0 ? 0 : 1;
}
