import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { createProducer } from '../../src/producer/create-producer.ts';
import type { Producer } from '../../src/producer/producer.ts';
import { loadConfiguration } from '../../src/shared/runtime/configuration.ts';
import { hasRedisServer, startRedisServer } from '../../tools/redis-server.ts';
import { startProxy } from '../support/proxy.ts';

const hasRedis = hasRedisServer();
if (!hasRedis)
  process.stdout.write(
    'redis-server is not on the PATH, so a failover to a replica was not tried (apt-get install redis-server).\n',
  );

function careful(redisUrl: string): Producer {
  const { configuration } = loadConfiguration({ HEADSTONE_WAIT_REPLICAS: '1', HEADSTONE_PREFIX: '{failover}' });
  const producer = createProducer({ connection: redisUrl, configuration });
  onTestFinished(() => producer.close());
  return producer;
}

test.runIf(hasRedis)(
  'I1, I14: a cancel that was acknowledged outlives a failover; one that was not says so',
  async () => {
    const primary = await startRedisServer();
    onTestFinished(() => primary.kill());
    const wire = await startProxy(primary.port);
    const replica = await startRedisServer('--replicaof', '127.0.0.1', new URL(wire.url).port);
    onTestFinished(() => replica.kill());
    const atReplica = new Redis(replica.url);
    onTestFinished(() => atReplica.disconnect());
    await expect.poll(() => atReplica.info('replication'), { timeout: 10_000 }).toContain('master_link_status:up');

    const producer = careful(primary.url);
    const wish = { request: { model: 'gpt-5.5', input: 'Write about tides' } };
    const ids = (await producer.enqueueMany(Array.from({ length: 40 }, () => wish))).map(({ id }) => id);
    const [held, lost] = [ids.slice(0, 20), ids.slice(20)];
    const verdicts = await Promise.all(held.map(id => producer.cancel(id, { actor: 'alice' })));
    expect(new Set(verdicts.map(({ verdict }) => verdict))).toEqual(new Set(['cancelled']));

    // The network between them is gone, and no error tells of it.
    wire.freeze();
    const tooFew = { code: 'not_durable', retryable: true };
    await Promise.all(lost.map(id => expect(producer.cancel(id)).rejects.toMatchObject(tooFew)));
    await primary.kill();
    await atReplica.replicaof('NO', 'ONE');

    const after = careful(replica.url);
    for (const id of held)
      expect(await after.get(id)).toMatchObject({ status: 'cancelled', tombstone: { actor: 'alice' } });
    for (const id of lost) expect(await after.get(id)).toMatchObject({ status: 'queued' });
    // The new primary has no replica yet, so it gives no assurance either.
    await expect(after.cancel(lost[0] ?? '')).rejects.toMatchObject(tooFew);
  },
);
