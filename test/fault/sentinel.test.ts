import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { createProducer } from '../../src/producer/create-producer.ts';
import { type SentinelSet, startSentinels } from '../../tools/redis-sentinel.ts';
import { hasRedisServer } from '../../tools/redis-server.ts';
import { scripted, startHarness } from '../support/harness.ts';

const hasRedis = hasRedisServer();
if (!hasRedis)
  process.stdout.write('redis-server is not on the PATH, so Sentinel was not tried (apt-get install redis-server).\n');

async function start(): Promise<SentinelSet> {
  const set = await startSentinels();
  onTestFinished(() => set.kill());
  return set;
}

test.runIf(hasRedis)(
  'I1, I5: Sentinels replace the primary, and nothing that was acknowledged is lost',
  {
    timeout: 90_000,
  },
  async () => {
    const set = await start();
    const { producer, happened, events } = await startHarness({
      redisUrl: set.url,
      env: { HEADSTONE_WAIT_REPLICAS: '1' },
    });
    const jobs = await producer.enqueueMany(
      Array.from({ length: 60 }, () => ({ request: scripted({ duration_ms: 5000, flip_after_ms: 0 }) })),
    );
    const cancelled = jobs.slice(0, 30);
    const verdicts = await Promise.all(cancelled.map(({ id }) => producer.cancel(id)));
    expect(verdicts).toEqual(cancelled.map(() => ({ verdict: 'cancelled' })));

    await set.primary.kill();
    await happened('store_lost');
    await happened('store_back');
    // The heir has no replica, so it shows no result yet. The record says what became of the jobs.
    const statusOf = async (id: string) => (await producer.store.record(id).catch(() => null))?.status;
    for (const { id } of jobs.slice(30)) await expect.poll(() => statusOf(id), { timeout: 60_000 }).toBe('completed');
    for (const { id } of cancelled) expect(await statusOf(id)).toBe('cancelled');
    expect(events.filter(({ name }) => name === 'store_forgot')).toEqual([]);
  },
);

test.runIf(hasRedis)('Sentinels by ioredis options and by a client, as in BullMQ', async () => {
  const set = await start();
  const [, hosts = '', name = ''] = /^redis\+sentinel:\/\/([^/]+)\/(.+)$/.exec(set.url) ?? [];
  const sentinels = hosts.split(',').map(host => ({ host: host.split(':')[0], port: Number(host.split(':')[1]) }));
  const client = new Redis({ sentinels, name });
  onTestFinished(() => client.disconnect());
  for (const connection of [{ sentinels, name }, client]) {
    const producer = createProducer({ connection });
    onTestFinished(() => producer.close());
    const { id } = await producer.enqueue(scripted());
    expect(await producer.cancel(id)).toEqual({ verdict: 'cancelled' });
  }
});

test.runIf(hasRedis)('a primary that the Sentinels do not know is an error in a sentence', async () => {
  const set = await start();
  const producer = createProducer({ connection: set.url.replace('/mymaster', '/other') });
  onTestFinished(() => producer.close());
  await expect(producer.ready()).rejects.toMatchObject({ code: 'store_unreachable' });
});
