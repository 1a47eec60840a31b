// Starts redis-server, if it is on the PATH, for tests and benchmarks.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RedisServer {
  url: string;
  port: number;
  /** Sends SIGKILL, as if the machine had died. */
  kill(): Promise<void>;
  /** Stops it, or lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
}

/** This process may end before it has called `kill`. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const server of running) server.kill('SIGKILL');
});

export function hasRedisServer(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0;
}

/** Runs `work` with a new server, or without one if redis-server is not on the PATH. */
export async function withRedisServer<Result>(work: (server?: RedisServer) => Promise<Result>): Promise<Result> {
  if (!hasRedisServer()) return await work();
  const server = await startRedisServer();
  try {
    return await work(server);
  } finally {
    await server.kill();
  }
}

/** Resolves when the server accepts connections. It keeps nothing on disk. `{port}` in an option is replaced by its port. */
export async function startRedisServer(...options: string[]): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'headstone-redis-'));
  const port = await freePort();
  const ours = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  const given = options.map(option => option.replace('{port}', String(port)));
  const server = spawn('redis-server', [...ours, '--maxmemory-policy', 'noeviction', ...given], { stdio: 'ignore' });
  const ended = once(server, 'exit');
  running.add(server);
  while (!(await answers(port))) {
    if (server.exitCode !== null) throw new Error(`redis-server ${options.join(' ')} ended with ${server.exitCode}.`);
    await sleep(20);
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    signal: signal => void server.kill(signal),
    async kill() {
      running.delete(server);
      server.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address ? address.port : 0;
}

async function answers(port: number): Promise<boolean> {
  return await new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.on('error', () => resolve(false)).on('connect', () => socket.destroy());
  });
}
