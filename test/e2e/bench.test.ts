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
  'the benchmark beside BullMQ runs, and gives a ratio for each figure (needs redis-server on the PATH)',
  { timeout: 60_000 },
  async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'headstone-bench-')), 'figures.json');
    const ran = await runFile(sideBySide, ['--rounds', '2', '--jobs', '20', '--json', file], { quiet: true });
    expect(ran).toMatchObject({ code: 0, output: expect.stringContaining('jobs done per second') });
    const { ratios, rounds, commit, machine } = JSON.parse(readFileSync(file, 'utf8'));
    expect({ rounds, commit, machine }).toEqual({ rounds: 2, commit: expect.any(String), machine: expect.any(String) });
    expect(ratios).toHaveLength(5);
    for (const { figure, min, median, max } of ratios) {
      expect(min, figure).toBeGreaterThan(0);
      expect(median, figure).toBeGreaterThanOrEqual(min);
      expect(max, figure).toBeGreaterThanOrEqual(median);
    }
  },
);

test('the benchmark refuses an option that it does not know, and a number that is none', async () => {
  const unknown = await runFile(sideBySide, ['--quik'], { quiet: true });
  expect(unknown).toMatchObject({ code: 1, output: expect.stringContaining("Unknown option '--quik'") });
  expect(unknown.output).toContain('--quick, --jobs N, --rounds N, --json FILE and --write');
  expect((await runFile(sideBySide, ['--jobs', 'many'], { quiet: true })).code).toBe(1);
});
