// The checks before a commit: format, lint, types and unit tests, among them the arrows. They take some seconds. With
// `--without-tests` the whole suite comes next, which has the unit tests.
import { binaries, runFile } from './run-file.ts';

const checks: [string, string, string[]][] = [
  ['format, lint', binaries.biome, ['ci', '--colors=off', '.']],
  ['types', binaries.tsc, ['-p', '.']],
  ['types of the pages’ scripts', binaries.tsc, ['-p', 'src/server/pages/browser']],
  ['unit tests, arrows', binaries.vitest, ['run', 'test/unit', '--reporter=dot']],
];

const withoutTests = process.argv.includes('--without-tests');
const wanted = checks.filter(([, file]) => !(withoutTests && file === binaries.vitest));

const results = await Promise.all(
  wanted.map(async ([name, file, args]) => {
    const startedAt = performance.now();
    const { code, output } = await runFile(file, args, { quiet: true });
    return { name, code, output, seconds: (performance.now() - startedAt) / 1000 };
  }),
);
for (const { name, code, output, seconds } of results) {
  process.stdout.write(`${code === 0 ? 'passed' : 'FAILED'}  ${name}  (${seconds.toFixed(1)} s)\n`);
  if (code !== 0) process.stdout.write(`${output}\n`);
}
process.exitCode = results.every(({ code }) => code === 0) ? 0 : 1;
