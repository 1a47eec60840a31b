import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

test('the benchmark runs, and each line carries commit, machine, date and store', { timeout: 60_000 }, async () => {
  const file = fileURLToPath(new URL('../../bench/throughput.ts', import.meta.url));
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
  expect(figures.length).toBeGreaterThanOrEqual(3);
  for (const figure of figures)
    expect(figure).toMatchObject({
      date: expect.any(String),
      machine: expect.any(String),
      store: expect.any(String),
      jobs: 20,
    });
});
