import { createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createProducer } from '../../src/producer/create-producer.ts';
import { createWorker } from '../../src/worker/create-worker.ts';
import { redisOf } from '../support/store.ts';

/** Speaks just enough RESP to answer which server it is. */
async function startImpostor(server: string, memory: string): Promise<string> {
  const impostor = createServer((socket: Socket) => {
    socket.on('data', chunk => {
      for (const command of chunk.toString().toLowerCase().split('*').filter(Boolean)) {
        if (!command.includes('info')) socket.write('+OK\r\n');
        else {
          const text = command.includes('memory') ? memory : server;
          socket.write(`$${text.length}\r\n${text}\r\n`);
        }
      }
    });
    socket.on('error', () => {});
  });
  await new Promise<void>(resolve => impostor.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    impostor.close();
  });
  const address = impostor.address();
  if (address === null || typeof address === 'string') throw new Error('No address.');
  return `redis://127.0.0.1:${address.port}`;
}

const openai = { apiKey: 'any', baseURL: 'http://127.0.0.1:1/v1' };

test('a Redis that is too old is refused by every process, in one sentence', async () => {
  const connection = await startImpostor('redis_version:6.2.14\r\n', 'maxmemory_policy:noeviction\r\n');
  const sentence = /is version 6\.2\.14, and Headstone needs Redis 7\.0 or newer, or Valkey\. Point REDIS_URL at one/;
  const producer = createProducer({ connection });
  await expect(producer.enqueue({ model: 'm', input: 'x' })).rejects.toThrow(sentence);
  await producer.close();
  const worker = createWorker({ connection, openai });
  await expect(worker.start()).rejects.toThrow(sentence);
  await worker.close();
});

test('a Redis that may evict is refused, with what to type', async () => {
  const connection = await startImpostor('redis_version:7.4.1\r\n', 'maxmemory_policy:allkeys-lru\r\n');
  const producer = createProducer({ connection });
  await expect(producer.ready()).rejects.toMatchObject({
    code: 'store_unsuitable',
    message: expect.stringContaining('CONFIG SET maxmemory-policy noeviction'),
  });
  await producer.close();
});

test('a store that is away is told each time it is asked for, and leaves no listener behind', async () => {
  const producer = createProducer({ connection: 'redis://127.0.0.1:1' });
  onTestFinished(() => producer.close());
  const client = redisOf(producer.store);
  const listeners = () => ['ready', 'end', 'error'].map(event => client.listenerCount(event));
  const refused = async () => {
    await expect(producer.ready()).rejects.toMatchObject({
      code: 'store_unreachable',
      message: expect.stringContaining('127.0.0.1:1 does not answer (ECONNREFUSED)'),
    });
    return listeners();
  };
  // BullMQ's listener at its start is gone after the first event.
  const before = await refused();
  expect(await refused()).toEqual(before);
});
