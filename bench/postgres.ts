import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Postgres {
  url: string;
  stop(): void;
}

/** PostgreSQL refuses to run as root. */
const NOBODY = 65_534;

/** Starts a server of its own with PostgreSQL's defaults; undefined if it is not on the PATH. */
export async function startPostgres(): Promise<Postgres | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'headstone-postgres-'));
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chownSync(folder, NOBODY, NOBODY);
  chmodSync(folder, 0o700);
  const whose = { cwd: folder, ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}) };
  const data = join(folder, 'data');
  const made = spawnSync('initdb', ['-D', data, '-A', 'trust', '-U', 'bench'], whose);
  if (made.status !== 0) {
    rmSync(folder, { recursive: true, force: true });
    return undefined;
  }
  const port = await freePort();
  const server = spawn('postgres', ['-D', data, '-p', String(port), '-k', folder, '-h', '127.0.0.1'], {
    ...whose,
    stdio: 'ignore',
  });
  const stop = () => {
    server.kill('SIGQUIT');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', stop);
  const isReady = () => spawnSync('pg_isready', ['-h', '127.0.0.1', '-p', String(port)]).status === 0;
  while (!isReady()) await sleep(100);
  return { url: `postgres://bench@127.0.0.1:${port}/postgres`, stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => server.once('listening', resolve));
  const address = server.address();
  await new Promise(resolve => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
