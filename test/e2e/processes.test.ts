import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, inject, onTestFinished, test } from 'vitest';

import { startSystem } from '../../src/cli/processes/system.ts';
import { processesWith } from '../support/processes.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

interface Running {
  child: ChildProcess;
  /** A mark in the environment of every process of the tree. */
  mark: string;
  output: () => string;
}

function start(args: string[], env: Record<string, string> = {}): Running {
  const mark = `TEST_MARK=${randomUUID()}`;
  const [name = '', value] = mark.split('=');
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, REDIS_URL: inject('redisUrl'), ...env, [name]: value },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', chunk => {
      output += chunk;
    });
  onTestFinished(() => {
    for (const pid of processesWith(mark)) process.kill(Number(pid), 'SIGKILL');
  });
  return { child, mark, output: () => output };
}

async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

test.for(['server', 'store', 'simulator'])(
  '%s whose port is taken says so and ends',
  { timeout: 20_000 },
  async command => {
    const port = await takenPort();
    const { child, output } = start([command, '--port', String(port)]);
    const [code] = await once(child, 'close');
    expect(code).toBe(1);
    expect(output()).toContain(`Port ${port} on 127.0.0.1 is already in use. Stop the other program`);
  },
);

test('a worker whose store is not there says so and ends', { timeout: 20_000 }, async () => {
  const { child, output } = start(['worker'], { REDIS_URL: 'redis://127.0.0.1:1', OPENAI_API_KEY: 'any' });
  const [code] = await once(child, 'close');
  expect(code).toBe(1);
  expect(output()).toContain('Redis at 127.0.0.1:1 does not answer (ECONNREFUSED)');
});

test('dev whose port is taken says so, and stops what it had started', { timeout: 30_000 }, async () => {
  const port = await takenPort();
  const { child, mark, output } = start(['dev'], { HEADSTONE_PORT: String(port) });
  const [code] = await once(child, 'close');
  expect(code).toBe(1);
  expect(output()).toContain('choose another port with --port or HEADSTONE_PORT');
  await expect.poll(() => processesWith(mark), { timeout: 10_000 }).toEqual([]);
});

test.for(['SIGINT', 'SIGTERM'] as const)(
  'dev at %s stops everything and ends with exit code 0',
  { timeout: 30_000 },
  async signal => {
    const { child, mark, output } = start(['dev'], { REDIS_URL: '', HEADSTONE_PORT: String(await freePort()) });
    await expect.poll(output, { timeout: 15_000 }).toContain('Headstone is up.');
    child.kill(signal);
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    expect(output()).not.toContain('ended by itself');
    expect(processesWith(mark)).toEqual([]);
  },
);

test('dev that is killed leaves no process behind, the store’s death notwithstanding', {
  timeout: 60_000,
}, async () => {
  const { child, mark, output } = start(['dev'], { REDIS_URL: '', HEADSTONE_PORT: String(await freePort()) });
  await expect.poll(output, { timeout: 15_000 }).toContain('Headstone is up.');
  child.kill('SIGKILL');
  await expect.poll(() => processesWith(mark), { timeout: 20_000 }).toEqual([]);
});

test('whoever reads only the first line gets it, and no stack', { timeout: 20_000 }, async () => {
  const { child, output } = start(['list', '--help']);
  child.stdout?.destroy();
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
  expect(output()).not.toContain('EPIPE');
});

test('npm start: a worker that is killed is started again, and nothing else stops for it', {
  timeout: 30_000,
}, async () => {
  const ready: number[] = [];
  const system = await startSystem({
    redisUrl: inject('redisUrl'),
    storePort: 0,
    simulatorPort: 0,
    simulate: true,
    workers: 1,
    revive: true,
    serverPort: undefined,
    env: { HEADSTONE_PREFIX: `{test-${randomUUID().slice(0, 8)}}` },
    onLine: (name, { event, pid }) => {
      if (name === 'worker 1' && event === 'process_ready') ready.push(Number(pid));
    },
  });
  onTestFinished(() => system.stop());
  let hasEnded = false;
  void system.firstEnded.then(() => {
    hasEnded = true;
  });
  process.kill(ready[0] ?? 0, 'SIGKILL');
  await expect.poll(() => ready.length, { timeout: 15_000 }).toBe(2);
  expect(ready[1]).not.toBe(ready[0]);
  expect(hasEnded).toBe(false);
});

test('npm that is asked to stop ends what it started', { timeout: 60_000 }, async () => {
  const mark = `TEST_MARK=${randomUUID()}`;
  const [name = '', value] = mark.split('=');
  const npm = spawn('npm', ['run', '--silent', 'headstone', '--', 'store', '--port', '0'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, [name]: value },
  });
  onTestFinished(() => {
    for (const pid of processesWith(mark)) process.kill(Number(pid), 'SIGKILL');
  });
  await once(npm.stdout, 'data');
  npm.kill('SIGTERM');
  await expect.poll(() => processesWith(mark), { timeout: 20_000 }).toEqual([]);
});
