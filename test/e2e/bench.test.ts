import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { hasRedisServer } from '../../tools/redis-server.ts';
import { runFile } from '../../tools/run-file.ts';

const sideBySide = fileURLToPath(new URL('../../bench/side-by-side.ts', import.meta.url));

test.for([
  ['throughput', 3],
  ['cancellation', 2],
  ['stream-cancel', 1],
] as const)(
  'the benchmark of %s runs, and each line says where and when',
  { timeout: 60_000 },
  async ([name, least]) => {
    const file = fileURLToPath(new URL(`../../bench/${name}.ts`, import.meta.url));
    const child = spawn(process.execPath, [file, '20'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', chunk => {
      output += chunk;
    });
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    const figures = output
      .split('\n')
      .filter(line => line.startsWith('{'))
      .map(line => JSON.parse(line));
    expect(figures.length).toBeGreaterThanOrEqual(least);
    for (const figure of figures)
      expect(figure).toMatchObject({
        date: expect.any(String),
        machine: expect.any(String),
        store: expect.any(String),
        jobs: 20,
      });
  },
);

test.skipIf(!hasRedisServer())(
  'the benchmark beside others runs, and gives a ratio for each figure that has an opponent (needs redis-server on the PATH)',
  { timeout: 120_000 },
  async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'headstone-bench-')), 'figures.json');
    const options = ['--only', 'lifecycle,enqueue,detection,growth', '--rounds', '2', '--jobs', '20', '--json', file];
    const ran = await runFile(sideBySide, options, { quiet: true });
    expect(ran).toMatchObject({ code: 0, output: expect.stringContaining('jobs done per second') });
    const { findings, rounds, commit, machine } = JSON.parse(readFileSync(file, 'utf8'));
    expect({ rounds, commit, machine }).toEqual({ rounds: 2, commit: expect.any(String), machine: expect.any(String) });
    expect(findings.length).toBeGreaterThan(15);
    for (const { figure, ours, against } of findings) {
      expect(ours, figure).toBeGreaterThan(0);
      if (!against) continue;
      expect(against.min, figure).toBeGreaterThan(0);
      expect(against.median, figure).toBeGreaterThanOrEqual(against.min);
      expect(against.max, figure).toBeGreaterThanOrEqual(against.median);
    }
    // A job costs as many commands beside fifty times as many others.
    const commands = findings.filter(({ figure }: { figure: string }) => figure.startsWith('commands per job'));
    expect(commands).toHaveLength(3);
    for (const { figure, against } of commands) expect(against.median, figure).toBeCloseTo(1, 1);
  },
);

test.each([
  ['an option that it does not know', ['--quik'], "Unknown option '--quik'"],
  ['a number that is none', ['--jobs', 'many'], '--jobs must be a whole number'],
  ['a part that it does not have', ['--only', 'life'], 'There is no scenario "life"'],
])('the benchmark refuses %s, and names its options', async (_what, options, complaint) => {
  const refused = await runFile(sideBySide, options, { quiet: true });
  expect(refused).toMatchObject({ code: 1, output: expect.stringContaining(complaint) });
  expect(refused.output).toContain('--rounds N, --json FILE and --write');
});
