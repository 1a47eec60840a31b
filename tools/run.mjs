// Runs a file of this checkout on the Node that the project brings, after installing what is missing.
// Plain JavaScript for Node 20, without a dependency: at the first call nothing is installed yet.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const lockfile = readFileSync(join(root, 'package-lock.json'));
const stampFile = join(root, 'node_modules', '.headstone-installed');
const stamp = createHash('sha256').update(lockfile).digest('hex');
const installed = existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp;

if (!installed) {
  process.stderr.write('Installing the dependencies, once (about 20 seconds) ...\n');
  // --include=dev: NODE_ENV=production in the environment must not leave out the Node we run on.
  const npm = spawnSync('npm', ['ci', '--include=dev', '--loglevel=error', '--no-fund', '--no-audit'], {
    cwd: root,
    stdio: ['ignore', process.stderr, process.stderr],
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) {
    process.stderr.write('npm ci failed. Its own words are above; mend that and run the command again.\n');
    process.exit(1);
  }
  writeFileSync(stampFile, stamp);
}

const node = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const [file, ...rest] = process.argv.slice(2);
const child = spawn(node, [join(root, file), ...rest], { stdio: 'inherit' });

// The terminal sends Ctrl-C to the whole group: the child acts on it, this parent only waits for its exit code.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
process.on('SIGHUP', () => child.kill('SIGHUP'));
// `kill` on npm ends npm and its shell alone: whoever is left behind by them is asked to stop too.
const parent = process.ppid;
const watch = setInterval(() => {
  if (process.env.npm_lifecycle_event !== undefined && process.ppid !== parent) child.kill('SIGTERM');
}, 500);
child.on('exit', (code, signal) => {
  clearInterval(watch);
  process.exitCode = signal ? 128 + (signal === 'SIGINT' ? 2 : signal === 'SIGTERM' ? 15 : 9) : (code ?? 1);
});
