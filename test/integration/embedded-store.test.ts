import { once } from 'node:events';
import { connect } from 'node:net';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { type Child, startChild } from '../../src/cli/processes/children.ts';

async function startStore(): Promise<{ child: Child; redis: Redis; port: number }> {
  const child = await startChild(['store', '--port', '0']);
  const redis = new Redis(child.address);
  onTestFinished(async () => {
    redis.disconnect();
    await child.stop();
  });
  return { child, redis, port: Number(new URL(child.address).port) };
}

test('the embedded store is Valkey 9.1.1 and evicts nothing', async () => {
  const { redis } = await startStore();
  expect(await redis.info('server')).toContain('valkey_version:9.1.1');
  expect(await redis.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
});

test('it answers at once, not on a timer: a thousand round trips take seconds, not minutes', async () => {
  const { redis } = await startStore();
  const startedAt = performance.now();
  for (let n = 0; n < 1000; n += 1) await redis.incr('counter');
  // With a timer of 100 ms this would take 100 s.
  expect(performance.now() - startedAt).toBeLessThan(5000);
});

test('descriptors are used again: more clients than its table has places, one after the other', {
  timeout: 60_000,
}, async () => {
  const { redis, port } = await startStore();
  for (let round = 0; round < 70; round += 1)
    await Promise.all(
      Array.from({ length: 100 }, async () => {
        const socket = connect(port, '127.0.0.1');
        socket.write('PING\r\n');
        const [answer] = (await once(socket, 'data')) as [Buffer];
        expect(answer.toString()).toBe('+PONG\r\n');
        socket.end();
        await once(socket, 'close');
      }),
    );
  expect(await redis.ping()).toBe('PONG');
  expect(Number(/connected_clients:(\d+)/.exec(await redis.info('clients'))?.[1])).toBeLessThan(10);
});

test('a client that reads slowly gets everything, and holds nobody else up', async () => {
  const { redis, port } = await startStore();
  await redis.set('big', 'x'.repeat(8_000_000));
  const slow = connect(port, '127.0.0.1');
  slow.pause();
  slow.write('GET big\r\n'.repeat(4));
  expect(await redis.ping()).toBe('PONG');
  let received = 0;
  slow.on('data', chunk => {
    received += chunk.length;
  });
  slow.resume();
  await expect.poll(() => received).toBeGreaterThan(32_000_000);
  slow.destroy();
});

test('it dies with its parent’s word, and frees its port', async () => {
  const { child, redis } = await startStore();
  redis.disconnect();
  await child.stop();
  const again = new Redis(child.address, { retryStrategy: null, lazyConnect: true });
  again.on('error', () => {});
  await expect(again.connect()).rejects.toThrow();
});
