import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

const refused = [
  ['src/simulator/a.ts', "import { Store } from '../shared/store/store.ts';"],
  ['src/embedded/a.ts', "import { Store } from '../shared/store/store.ts';"],
  ['src/shared/contract/a.ts', "import { Telemetry } from '../runtime/telemetry.ts';"],
  ['src/shared/runtime/a.ts', "import { Store } from '../store/store.ts';"],
  ['src/shared/store/a.ts', "import { Producer } from '../../producer/producer.ts';"],
  ['src/producer/a.ts', "import { Worker } from '../worker/worker.ts';"],
  ['src/worker/a.ts', "import { Producer } from '../producer/producer.ts';"],
  ['src/worker/b.ts', "import { runProgram } from '../cli/program.ts';"],
  ['src/worker/c.ts', "import { OpenAI } from 'openai';"],
  ['src/worker/d.ts', "import { Queue } from 'bullmq';"],
  ['src/server/a.ts', "import { Worker } from '../worker/worker.ts';"],
  ['src/producer/b.ts', "import { Redis } from 'ioredis';"],
] as const;

const allowed = [
  ['src/worker/e.ts', "import type { Store } from '../shared/store/store.ts';"],
  ['src/server/b.ts', "import type { Producer } from '../producer/producer.ts';"],
  ['src/worker/upstream.ts', "import { OpenAI } from 'openai';"],
  ['src/worker/consumer.ts', "import { Worker } from 'bullmq';"],
] as const;

test('the checker refuses every import against the arrows, and the doors’ packages elsewhere, and nothing else', () => {
  const folder = mkdtempSync(join(tmpdir(), 'headstone-arrows-'));
  try {
    copyFileSync(join(root, 'biome.json'), join(folder, 'biome.json'));
    for (const [file, line] of [...refused, ...allowed]) {
      mkdirSync(join(folder, dirname(file)), { recursive: true });
      writeFileSync(join(folder, file), `${line}\n`);
    }
    const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
    const options = ['lint', '--vcs-enabled=false', '--reporter=github', '--max-diagnostics=none', '.'];
    const run = spawnSync(process.execPath, [biome, ...options], { cwd: folder, encoding: 'utf8' });
    const complaints = run.stdout.split('\n').filter(line => line.includes('noRestrictedImports'));
    const named = complaints.map(line => /file=.*?(src\/[^,]+)/.exec(line)?.[1]);
    expect(new Set(named)).toEqual(new Set(refused.map(([file]) => file)));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
