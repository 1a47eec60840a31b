import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { residentMb, type Scenario, SMALL_HEAP } from '../scenario.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const SETTLED_MS = 3000;

export const idle: Scenario = {
  name: 'idle',
  about: 'The memory of a worker that waits, run from the built package with a heap of 128 MB.',
  isLong: true,
  async measure({ redis, redisUrl, providerUrl }) {
    // It stands in the checkout, where its packages are found.
    const built = mkdtempSync(join(root, '.bench-'));
    const tsc = [
      join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      join(root, 'tsconfig.build.json'),
      '--outDir',
      built,
    ];
    const build = spawnSync(process.execPath, tsc, { encoding: 'utf8' });
    if (build.status !== 0) throw new Error(`The package could not be built. ${build.stdout}`);
    const worker = spawn(process.execPath, [...SMALL_HEAP, join(built, 'cli/main.js'), 'worker'], {
      env: { ...process.env, REDIS_URL: redisUrl, OPENAI_API_KEY: 'any', OPENAI_BASE_URL: providerUrl },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      for await (const line of createInterface({ input: worker.stdout })) if (line.includes('process_ready')) break;
      await sleep(SETTLED_MS);
      return [{ figure: 'memory of an idle worker (MB)', ours: residentMb(worker.pid), goal: '≤ 90' }];
    } finally {
      worker.kill('SIGKILL');
      rmSync(built, { recursive: true, force: true });
      await redis.flushall();
    }
  },
};
