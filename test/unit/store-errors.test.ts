import { EventEmitter } from 'node:events';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { RedisClient } from '../../src/shared/store/connection/client.ts';
import { addressOf, errorCode } from '../../src/shared/store/connection/store-errors.ts';
import { untilReady } from '../../src/shared/store/connection/suitable.ts';

test('an outage without a reason is not explained by the reason of an earlier one', async () => {
  vi.useFakeTimers();
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const client = Object.assign(new EventEmitter(), { status: 'reconnecting', options: {}, stream: { writable: true } });
  const failure = async () => {
    const waiting = untilReady(client as unknown as RedisClient).catch((error: unknown) => error);
    if (client.status === 'reconnecting' && client.listenerCount('error') > 0 && loading) client.emit('error', loading);
    await vi.advanceTimersByTimeAsync(3000);
    return await waiting;
  };
  let loading: Error | null = new Error('LOADING Redis is loading the dataset in memory');
  expect(await failure()).toMatchObject({ code: 'store_refused' });
  loading = null;
  // The same outage, in which no further attempt was made: its reason is still known.
  expect(await failure()).toMatchObject({ code: 'store_refused' });
  client.status = 'ready';
  await untilReady(client as unknown as RedisClient);
  client.status = 'reconnecting';
  const silent = await failure();
  expect(silent).toMatchObject({ code: 'store_unreachable', message: expect.stringContaining('(no answer)') });
  expect(errorCode(silent)).toBe('store_unreachable');
});

test('the log names the reason behind a translated error', async () => {
  const client = Object.assign(new EventEmitter(), { status: 'reconnecting', options: {} });
  const waiting = untilReady(client as unknown as RedisClient).catch((error: unknown) => error);
  client.emit('error', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }));
  client.emit('end');
  expect(errorCode(await waiting)).toBe('ECONNREFUSED');
});

test('where no Sentinel has named a primary, the Sentinels are named, and no address that nobody gave', () => {
  const sentinels = [
    { host: 'one', port: 26_379 },
    { host: 'two', port: 26_380 },
  ];
  const client = { options: { sentinels, name: 'mymaster', sentinelPassword: 'secret' } };
  expect(addressOf(client)).toBe('mymaster (by the Sentinels one:26379, two:26380)');
});
