import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type Child, startChild } from '../../src/cli/processes/children.ts';
import { runFile } from '../../tools/run-file.ts';
import { type PackedPackage, packPackage } from '../support/packed-package.ts';

/** The tools that judge the package. The test installs them, so that the project itself needs fewer dependencies. */
const judges = ['esbuild@0.28.2', 'typescript@5.9.3', '@types/node@24.10.1', 'publint@0.3.25', '@arethetypeswrong/cli'];

let packed: PackedPackage;
const children: Child[] = [];
const settings: Record<string, string> = { OPENAI_API_KEY: 'any' };

beforeAll(async () => {
  packed = packPackage();
  const start = async (...command: string[]) => {
    const child = await startChild(command, { env: { ...settings, HEADSTONE_POLL_MIN_MS: '200' } });
    children.unshift(child);
    return child;
  };
  settings.REDIS_URL = (await start('store', '--port', '0')).address;
  settings.OPENAI_BASE_URL = (await start('simulator', '--port', '0', '--speed', '4')).address;
  await start('worker');
}, 120_000);

afterAll(async () => {
  for (const child of children) await child.stop();
  packed.remove();
});

test('the package as npm packs it: installs in an empty project, types and all, and runs there as it is and bundled', {
  timeout: 240_000,
}, async () => {
  const app = packed.install('existing-app', ...judges);
  writeFileSync(
    join(app, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: { module: 'nodenext', target: 'es2022', strict: true, noEmit: true, types: ['node'] },
    }),
  );
  const run = (file: string, args: string[], env = {}) =>
    runFile(join(app, file), args, { folder: app, quiet: true, env });
  const ranWell = async (file: string, ...args: string[]) => {
    const { code, output } = await run(file, args);
    expect(code, output).toBe(0);
  };
  await ranWell('node_modules/typescript/bin/tsc', '-p', '.');
  await ranWell('node_modules/publint/src/cli.js', packed.tarball);
  await ranWell('node_modules/@arethetypeswrong/cli/dist/index.js', packed.tarball, '--profile', 'esm-only');
  const banner = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
  const bundling = ['--bundle', '--platform=node', '--format=esm', '--outfile=bundle.mjs', '--log-level=error'];
  execFileSync(join(app, 'node_modules/.bin/esbuild'), ['app.ts', ...bundling, `--banner:js=${banner}`], { cwd: app });
  for (const file of ['app.ts', 'bundle.mjs']) {
    const { code, output } = await run(file, [], settings);
    expect(output, file).toContain('report: completed\nunwanted: cancelled');
    expect(code).toBe(0);
  }
});

test('examples/bullmq-app: its own queues, adopt in place of a polling loop, and a queue that hears of each outcome', {
  timeout: 120_000,
}, async () => {
  const app = packed.install('bullmq-app');
  const { code, output } = await runFile(join(app, 'app.ts'), [], { folder: app, quiet: true, env: settings });
  expect(output.trim().split('\n').sort()).toEqual(['eels: cancelled', 'tides: completed']);
  expect(code).toBe(0);
});

test('examples/nextjs-route: Next builds it with the package bundled, and its routes create, read and cancel', {
  timeout: 240_000,
}, async () => {
  const app = packed.install('nextjs-route');
  const next = join(app, 'node_modules/next/dist/bin/next');
  const env = { ...settings, NEXT_TELEMETRY_DISABLED: '1' };
  const built = await runFile(next, ['build'], { folder: app, quiet: true, env });
  expect(built.code, built.output).toBe(0);
  const server = spawn(process.execPath, [next, 'start', '--port', '0', '--hostname', '127.0.0.1'], {
    cwd: app,
    env: { ...process.env, ...env, NODE_ENV: 'production' },
    detached: true,
  });
  const ended = once(server, 'exit');
  onTestFinished(async () => {
    if (server.exitCode === null) process.kill(-(server.pid ?? 0), 'SIGKILL');
    await ended;
  });
  let said = '';
  for (const stream of [server.stdout, server.stderr])
    stream.on('data', chunk => {
      said += chunk;
    });
  const address = () => /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0];
  await expect.poll(address, { timeout: 30_000 }).toBeDefined();
  const ask = async (method: string, path: string, body?: object) => {
    const answer = await fetch(`${address()}${path}`, { method, ...(body ? { body: JSON.stringify(body) } : {}) });
    return (await answer.json()) as { id: string; status: string; text?: string };
  };
  const report = await ask('POST', '/reports', { about: 'tides' });
  const unwanted = await ask('POST', '/reports', { about: 'eels' });
  expect(await ask('DELETE', `/reports/${unwanted.id}`)).toEqual({ id: unwanted.id, status: 'cancelled' });
  await expect
    .poll(() => ask('GET', `/reports/${report.id}`), { timeout: 20_000 })
    .toMatchObject({ status: 'completed', text: expect.stringContaining('Write a report on tides') });
  expect(await ask('GET', `/reports/${unwanted.id}`)).toEqual({ id: unwanted.id, status: 'cancelled', text: '' });
});
