import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { startChild } from '../src/cli/children.ts';

/** Measures on the embedded store, then on redis-server where it is on the PATH. */
export async function onEachStore(measure: (store: string, connection: string) => Promise<void>): Promise<void> {
  const embedded = await startChild(['store', '--port', '0']);
  try {
    await measure('embedded', embedded.address);
  } finally {
    await embedded.stop();
  }

  if (spawnSync('redis-server', ['--version']).status !== 0) {
    process.stdout.write('redis-server is not on the PATH: measured on the embedded store alone.\n');
    return;
  }
  const port = await freePort();
  const redis = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], {
    stdio: 'ignore',
  });
  try {
    await measure('redis-server', `redis://127.0.0.1:${port}`);
  } finally {
    redis.kill();
  }
}

async function freePort(): Promise<number> {
  return await new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
