import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

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
