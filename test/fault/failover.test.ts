import { once } from 'node:events';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { createProducer } from '../../src/producer/create-producer.ts';
import type { Producer } from '../../src/producer/producer.ts';
import { loadConfiguration } from '../../src/shared/runtime/configuration.ts';
import { hasRedisServer, type RedisServer, startRedisServer } from '../../tools/redis-server.ts';
import { lanesOfSuite } from '../support/lanes.ts';
import { startProxy } from '../support/proxy.ts';
import { redisOf } from '../support/store.ts';

const hasRedis = hasRedisServer();
if (!hasRedis)
  process.stdout.write(
    'redis-server is not on the PATH, so a failover to a replica was not tried (apt-get install redis-server).\n',
  );

const wish = { model: 'gpt-5.5', input: 'Write about tides' };
const tooFew = { code: 'not_durable', retryable: true };

async function startPrimary(): Promise<RedisServer> {
  const server = await startRedisServer();
  onTestFinished(() => server.kill());
  return server;
}

/** Resolves when the server replicates the one on this port. */
async function startReplica(port: number): Promise<{ server: RedisServer; client: Redis }> {
  const server = await startRedisServer('--replicaof', '127.0.0.1', String(port));
  const client = new Redis(server.url);
  onTestFinished(async () => {
    client.disconnect();
    await server.kill();
  });
  await expect.poll(() => client.info('replication'), { timeout: 10_000 }).toContain('master_link_status:up');
  return { server, client };
}

function careful(redisUrl: string): Producer {
  const { configuration } = loadConfiguration({
    ...lanesOfSuite,
    HEADSTONE_WAIT_REPLICAS: '1',
    HEADSTONE_PREFIX: '{failover}',
  });
  const producer = createProducer({ connection: redisUrl, configuration });
  onTestFinished(() => producer.close());
  return producer;
}

test.runIf(hasRedis)(
  'I1, I14: a cancel that was acknowledged outlives a failover; one that was not says so',
  async () => {
    const primary = await startPrimary();
    const wire = await startProxy(primary.port);
    const replica = await startReplica(wire.port);
    const producer = careful(primary.url);
    const jobs = await producer.enqueueMany(Array.from({ length: 40 }, () => ({ request: wish })));
    const held = jobs.slice(0, 20);
    const lost = jobs.slice(20);
    const verdicts = await Promise.all(held.map(({ id }) => producer.cancel(id, { actor: 'alice' })));
    expect(new Set(verdicts.map(({ verdict }) => verdict))).toEqual(new Set(['cancelled']));

    // The network between them is gone, and no error reports it.
    wire.freeze();
    await Promise.all(lost.map(({ id }) => expect(producer.cancel(id)).rejects.toMatchObject(tooFew)));
    await primary.kill();
    await replica.client.replicaof('NO', 'ONE');

    const after = careful(replica.server.url);
    for (const { id } of held)
      expect(await after.get(id)).toMatchObject({ status: 'cancelled', tombstone: { actor: 'alice' } });
    for (const { id } of lost) expect(await after.get(id)).toMatchObject({ status: 'queued' });
    // The new primary has no replica yet, so it gives no assurance either.
    await expect(after.cancel(lost[0]?.id ?? '')).rejects.toMatchObject(tooFew);
  },
);

test.runIf(hasRedis)(
  'I1, I14: a primary that is replaced between a decision and its assurance assures nothing',
  async () => {
    const primary = await startPrimary();
    const heir = await startReplica(primary.port);
    // The new primary has a replica, so a check that only counted replicas would pass.
    await startReplica(heir.server.port);
    const name = await startProxy(primary.port);
    const producer = careful(name.redisUrl);
    const held = await producer.enqueue(wish);
    const { id } = await producer.enqueue(wish);
    expect(await producer.cancel(held.id)).toEqual({ verdict: 'cancelled' });

    await heir.client.replicaof('NO', 'ONE');
    const { store } = producer;
    const lane = await store.laneOf(id);
    const untilDurable = lane.untilDurable.bind(lane);
    lane.untilDurable = async (...claims) => {
      name.leadTo(heir.server.port);
      await once(redisOf(store), 'ready');
      await untilDurable(...claims);
    };
    await expect(producer.cancel(id)).rejects.toMatchObject(tooFew);
    lane.untilDurable = untilDurable;
    expect(await producer.get(id)).toMatchObject({ status: 'queued' });
    expect(await producer.cancel(id)).toEqual({ verdict: 'cancelled' });
  },
);
