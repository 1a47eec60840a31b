// All tests: on the embedded store, on a real redis-server where one is on the PATH, and the mutants.
// Arguments go to vitest: `npm test -- test/unit` runs those once, on the embedded store.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { runMutants } from './mutants.ts';
import { hasRedisServer, startRedisServer } from './redis-server.ts';
import { binaries, root, runFile } from './run-file.ts';

/** What is about the store itself, or about no store at all, is run once. */
const onceOnly = [
  'test/unit/**',
  'test/contract/**',
  'test/e2e/base-path*',
  'test/e2e/cli*',
  'test/e2e/hostile-bodies*',
  'test/e2e/hostile-proxies*',
  'test/e2e/listen*',
  'test/fault/every-redis*',
  'test/e2e/bench*',
  'test/e2e/processes*',
  'test/e2e/browser*',
  'test/e2e/limits*',
  'test/e2e/package*',
  'test/e2e/probe*',
  'test/e2e/passthrough*',
  'test/e2e/other-languages*',
  'test/integration/embedded-store*',
  'test/fault/failover*',
];

const folder = mkdtempSync(join(tmpdir(), 'headstone-tests-'));
const totals = { passed: 0, failed: 0 };
/** What is said again at the end, where everybody looks. */
const failures: string[] = [];

interface Report {
  numPassedTests?: number;
  numFailedTests?: number;
  testResults?: {
    name: string;
    message: string;
    assertionResults: { title: string; status: string; failureMessages: string[] }[];
  }[];
}

async function suite(name: string, args: string[], env: Record<string, string> = {}): Promise<void> {
  process.stdout.write(`\n== ${name}\n`);
  const report = join(folder, `${name.replaceAll(/\W+/g, '-')}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const { code } = await runFile(binaries.vitest, ['run', ...reporters, ...args], { env });
  const { numPassedTests = 0, numFailedTests = 0, testResults = [] } = readReport(report);
  totals.passed += numPassedTests;
  // A file that could not be loaded has no failed test to count.
  totals.failed += code !== 0 && numFailedTests === 0 ? 1 : numFailedTests;
  const failed = failuresOf(testResults).map(failure => `${name}: ${failure}`);
  failures.push(...failed);
  if (code !== 0 && failed.length === 0) failures.push(`${name}: vitest ended with ${code}; its own words are above.`);
}

function failuresOf(testResults: NonNullable<Report['testResults']>): string[] {
  return testResults.flatMap(({ name, message, assertionResults }) => {
    const file = relative(root, name);
    const failed = assertionResults.filter(({ status }) => status === 'failed');
    return [
      ...(message === '' ? [] : [`${file}\n${message}`]),
      ...failed.map(({ title, failureMessages }) => `${file} > ${title}\n${failureMessages.join('\n')}`),
    ];
  });
}

function readReport(file: string): Report {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return {};
  }
}

const given = process.argv.slice(2);
try {
  await suite('the embedded store', given);
  if (given.length === 0) {
    if (hasRedisServer()) {
      const redis = await startRedisServer();
      try {
        const left = onceOnly.map(pattern => `--exclude=${pattern}`);
        await suite('redis-server', left, { TEST_REDIS_URL: redis.url });
      } finally {
        await redis.kill();
      }
    } else
      process.stdout.write(
        '\nredis-server is not on the PATH, so the suite ran on the embedded store alone (apt-get install redis-server).\n',
      );
    process.stdout.write('\n== mutants\n');
    const { caught, survived } = await runMutants();
    totals.passed += caught;
    totals.failed += survived.length;
    failures.push(...survived.map(name => `mutant that survived: ${name}`));
  }
} catch (error) {
  totals.failed += 1;
  failures.push(error instanceof Error ? error.message : String(error));
} finally {
  rmSync(folder, { recursive: true });
}
for (const failure of failures) process.stdout.write(`\nFAILED  ${failure}\n`);
process.stdout.write(`\n${totals.passed} passed, ${totals.failed} failed\n`);
process.exitCode = totals.failed === 0 && totals.passed > 0 ? 0 : 1;
