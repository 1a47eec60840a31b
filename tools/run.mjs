// Runs a file of this checkout on the Node version that the project depends on, after installing the dependencies if needed.
// It is plain JavaScript for Node 20 and imports no package, because at the first call nothing is installed yet.
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
  // With NODE_ENV=production npm would leave out the development dependencies, and Node itself is one of them.
  const npm = spawnSync('npm', ['ci', '--include=dev', '--loglevel=error', '--no-fund', '--no-audit'], {
    cwd: root,
    stdio: ['ignore', process.stderr, process.stderr],
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) {
    process.stderr.write('npm ci failed. Its messages are above. Solve the problem and run the command again.\n');
    process.exit(1);
  }
  writeFileSync(stampFile, stamp);
}

const node = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const [file, ...rest] = process.argv.slice(2);
const child = spawn(node, [join(root, file), ...rest], { stdio: 'inherit' });

// The terminal sends Ctrl-C to the whole process group. The child handles it, and this process waits for its exit code.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
process.on('SIGHUP', () => child.kill('SIGHUP'));
// `kill` ends only npm and its shell. When the parent has changed, the child is asked to stop as well.
const parent = process.ppid;
const watch = setInterval(() => {
  if (process.env.npm_lifecycle_event !== undefined && process.ppid !== parent) child.kill('SIGTERM');
}, 500);
child.on('exit', (code, signal) => {
  clearInterval(watch);
  process.exitCode = signal ? 128 + (signal === 'SIGINT' ? 2 : signal === 'SIGTERM' ? 15 : 9) : (code ?? 1);
});
