// Starts Redis Sentinels, for tests: they watch a primary and put a replica in its place when it dies.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort, type RedisServer, startRedisServer } from './redis-server.ts';

const NAME = 'mymaster';
const DOWN_AFTER_MS = 1000;

export interface SentinelSet {
  /** As REDIS_URL names it. */
  url: string;
  primary: RedisServer;
  replica: RedisServer;
  kill(): Promise<void>;
}

/** A primary, its replica and three Sentinels. Resolves when the Sentinels know all of them. */
export async function startSentinels(): Promise<SentinelSet> {
  const primary = await startRedisServer();
  const replica = await startRedisServer('--replicaof', '127.0.0.1', String(primary.port));
  const sentinels = await Promise.all(Array.from({ length: 3 }, () => startSentinel(primary.port)));
  await untilItSays(replica.port, 'replication', ['master_link_status:up']);
  for (const { port } of sentinels) await untilItSays(port, 'sentinel', ['status=ok', 'slaves=1', 'sentinels=3']);
  return {
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${NAME}`,
    primary,
    replica,
    async kill() {
      await Promise.all(sentinels.map(sentinel => sentinel.kill()));
      await Promise.all([primary.kill(), replica.kill()]);
    },
  };
}

async function startSentinel(primary: number): Promise<{ port: number; kill(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'headstone-sentinel-'));
  const port = await freePort();
  const file = join(folder, 'sentinel.conf');
  writeFileSync(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `sentinel monitor ${NAME} 127.0.0.1 ${primary} 2`,
      `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
      `sentinel failover-timeout ${NAME} 5000`,
    ].join('\n'),
  );
  const process = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
  const ended = once(process, 'exit');
  return {
    port,
    async kill() {
      process.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function untilItSays(port: number, section: string, words: string[]): Promise<void> {
  const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50 });
  client.on('error', () => {});
  try {
    for (let attempt = 0; attempt < 300; attempt += 1) {
      const info = await client.info(section);
      if (words.every(word => info.includes(word))) return;
      await sleep(50);
    }
    throw new Error(`After 15 s the server on port ${port} does not say ${words.join(', ')}.`);
  } finally {
    client.disconnect();
  }
}
