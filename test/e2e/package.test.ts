import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startChild } from '../../src/cli/children.ts';
import { root, runFile } from '../../tools/run-file.ts';

/** What judges the package; of the test's own project, so that the product's install stays small. */
const judges = ['esbuild@0.28.2', 'typescript@5.9.3', '@types/node@24.10.1', 'publint@0.3.25', '@arethetypeswrong/cli'];

test('the package as npm packs it: installs in an empty project, types and all, and runs there as it is and bundled', {
  timeout: 240_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headstone-package-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const npm = (cwd: string, ...args: string[]) =>
    execFileSync('npm', [...args, '--loglevel=error', '--no-fund', '--no-audit'], { cwd, encoding: 'utf8' });

  // Built into the package from a copy: another test may be reading this checkout.
  const source = join(folder, 'source');
  cpSync(root, source, { recursive: true, filter: path => !/[/\\](node_modules|dist|\.git|docs)$/.test(path) });
  symlinkSync(join(root, 'node_modules'), join(source, 'node_modules'));
  npm(source, 'pack', '--pack-destination', folder);
  const tarball = join(folder, readdirSync(folder).find(name => name.endsWith('.tgz')) ?? '');

  const app = join(folder, 'app');
  cpSync(join(root, 'examples/existing-app'), app, { recursive: true });
  npm(app, 'install', tarball, ...judges);
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
  await ranWell('node_modules/publint/src/cli.js', tarball);
  await ranWell('node_modules/@arethetypeswrong/cli/dist/index.js', tarball, '--profile', 'esm-only');
  const banner = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
  execFileSync(
    join(app, 'node_modules/.bin/esbuild'),
    [
      'app.ts',
      '--bundle',
      '--platform=node',
      '--format=esm',
      '--outfile=bundle.mjs',
      `--banner:js=${banner}`,
      '--log-level=error',
    ],
    { cwd: app },
  );

  const store = await startChild(['store', '--port', '0']);
  const simulator = await startChild(['simulator', '--port', '0', '--speed', '4']);
  const settings = { REDIS_URL: store.address, OPENAI_BASE_URL: simulator.address, OPENAI_API_KEY: 'any' };
  const worker = await startChild(['worker'], { env: { ...settings, HEADSTONE_POLL_MIN_MS: '200' } });
  try {
    for (const file of ['app.ts', 'bundle.mjs']) {
      const { code, output } = await run(file, [], settings);
      expect(output, file).toContain('report: completed\nunwanted: cancelled');
      expect(code).toBe(0);
    }
  } finally {
    for (const child of [worker, simulator, store]) await child.stop();
  }
});
