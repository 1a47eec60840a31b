import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { type RedisServer, startRedisServer } from '../../tools/redis-server.ts';

/** A redis-server for this test only. */
export async function startRedis(...options: string[]): Promise<RedisServer> {
  const server = await startRedisServer(...options);
  onTestFinished(() => server.kill());
  return server;
}

/** A direct connection, without any proxy. */
export function clientOf({ url }: RedisServer): Redis {
  const client = new Redis(url);
  onTestFinished(() => client.disconnect());
  return client;
}
