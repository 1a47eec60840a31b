import { expect, test } from 'vitest';
import { startHarness } from '../support/harness.ts';

test.for(['vanished', 'gone back'] as const)(
  'I14: a store in which an acknowledged write has %s is noticed',
  async how => {
    const { happened, redis, prefix, events } = await startHarness();
    let key = '';
    await expect
      .poll(
        async () => {
          [key = ''] = await redis.keys(`${prefix}:canary:*`);
          return Number(key && (await redis.get(key)));
        },
        { timeout: 10_000 },
      )
      .toBeGreaterThan(1);
    expect(events.map(({ name }) => name)).not.toContain('store_forgot');
    if (how === 'vanished') await redis.del(key);
    else await redis.set(key, '0');
    expect(await happened('store_forgot')).toMatchObject({ found: 0 });
  },
);

test('I14: a cancel is not acknowledged before enough replicas hold it, and a repeat waits again', async () => {
  const { producer } = await startHarness({ workers: 0, env: { HEADSTONE_WAIT_REPLICAS: '1' } });
  const { id } = await producer.enqueue({ model: 'm', input: 'x' });
  const tooFew = { code: 'not_durable', retryable: true, message: expect.stringContaining('only 0 of 1 replicas') };
  await expect(producer.cancel(id)).rejects.toMatchObject(tooFew);
  await expect(producer.cancel(id)).rejects.toMatchObject(tooFew);
  // It is decided all the same: what is missing is the assurance.
  expect((await producer.get(id))?.status).toBe('cancelled');
});
