import { randomUUID } from 'node:crypto';
import slotOf from 'cluster-key-slot';
import { Cluster } from 'ioredis';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createProducer } from '../../src/producer/create-producer.ts';
import {
  type ClusterNode,
  moveSlot,
  ownerOf,
  type RedisCluster,
  startRedisCluster,
} from '../../tools/redis-cluster.ts';
import { hasRedisServer } from '../../tools/redis-server.ts';
import { type Harness, type HarnessOptions, scripted, startHarness } from '../support/harness.ts';

const hasRedis = hasRedisServer();
if (!hasRedis)
  process.stdout.write(
    'redis-server is not on the PATH, so Redis Cluster was not tried (apt-get install redis-server).\n',
  );

/** Of the client. */
const SLOTS_ASKED_EVERY_MS = 5000;

let cluster: RedisCluster;
beforeAll(async () => {
  if (hasRedis) cluster = await startRedisCluster(3, { replicas: true });
});
afterAll(async () => {
  await cluster?.kill();
});

const startOnCluster = async (options: HarnessOptions = {}) =>
  await startHarness({ redisUrl: cluster.url, prefix: `{c-${randomUUID().slice(0, 8)}}`, ...options });

/** I3: every response that the provider billed has one row, with its tokens, and the sums are those of the rows. */
async function expectBooksToAgree({ producer, simulatorLedger }: Harness): Promise<void> {
  const pending = async () => (await producer.ledger()).filter(({ status }) => status === 'pending');
  await expect.poll(pending, { timeout: 20_000 }).toEqual([]);
  const rows = await producer.ledger();
  const ours = rows.map(row => [row.response_id, row.usage?.total_tokens ?? null]);
  const { responses } = await simulatorLedger();
  const theirs = responses.map(row => [row.response_id, row.billed?.total_tokens ?? null]);
  expect(ours.sort()).toEqual(theirs.sort());
  const sum = (kind: string) =>
    rows.filter(row => row.kind === kind).reduce((all, row) => all + (row.usage?.total_tokens ?? 0), 0);
  expect((await producer.waste()).totals).toMatchObject({
    total_tokens: sum('wasted'),
    used_total_tokens: sum('used'),
  });
}

test.runIf(hasRedis).each(['1', '4'])('a whole life of jobs on three nodes, with %s lanes', async lanes => {
  const harness = await startOnCluster({ env: { HEADSTONE_LANES: lanes } });
  const { producer } = harness;
  const jobs = await producer.enqueueMany(
    Array.from({ length: 40 }, (_, n) => ({
      request: scripted({ duration_ms: 1000, flip_after_ms: 0 }, `Prompt ${n}`),
      options: { tags: ['nightly'] },
    })),
  );
  const doomed = jobs.slice(0, 10);
  const verdicts = await Promise.all(doomed.map(({ id }) => producer.cancel(id, { actor: 'alice' })));
  expect(verdicts).toEqual(doomed.map(() => ({ verdict: 'cancelled' })));
  for (const { id } of jobs.slice(10)) expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  for (const { id } of doomed) expect(await producer.get(id)).toMatchObject({ status: 'cancelled' });
  const streamed = await producer.enqueue({ ...scripted(), stream: true });
  const types = [];
  for await (const { type } of producer.subscribe(streamed.id)) types.push(type);
  expect(types.at(-1)).toBe('response.completed');

  await producer.pauseLaunch(true);
  await producer.enqueueMany(Array.from({ length: 30 }, () => ({ request: scripted() })));
  const { id } = await producer.cancellations.begin({ all: true });
  await producer.cancellations.run(id);
  expect(await producer.cancellations.get(id)).toMatchObject({ status: 'done', cancelled: 30, expected: 30 });
  expect(await producer.list({ tag: 'nightly', limit: 100 })).toHaveLength(40);
  await expectBooksToAgree(harness);
});

test.runIf(hasRedis)('an app’s own Cluster client is taken as one, and stays open', async () => {
  const { configuration } = await startOnCluster({ workers: 0 });
  const client = new Cluster(cluster.primaries.map(({ server }) => ({ host: '127.0.0.1', port: server.port })));
  client.on('error', () => {});
  onTestFinished(() => client.disconnect());
  const producer = createProducer({ connection: client, prefix: `{c-${randomUUID().slice(0, 8)}}`, configuration });
  const { id } = await producer.enqueue(scripted());
  const waiting = producer.wait(id);
  expect(await producer.cancel(id)).toEqual({ verdict: 'cancelled' });
  expect(await waiting).toMatchObject({ status: 'cancelled' });
  await producer.close();
  expect(await client.ping()).toBe('PONG');
});

test.runIf(hasRedis)('a node by its own URL is refused, with the URL that would do', async () => {
  const node = `redis://127.0.0.1:${cluster.primaries[0]?.server.port}`;
  const producer = createProducer({ connection: node });
  onTestFinished(() => producer.close());
  await expect(producer.ready()).rejects.toThrow(/is a node of a Redis Cluster \(MOVED\)\. Name several of its nodes/);
  const whole = createProducer({ connection: node.replace('redis://', 'redis+cluster://') });
  onTestFinished(() => whole.close());
  await whole.ready();
});

test.runIf(hasRedis)('I3, I5: a slot that is moved under load loses nothing', { timeout: 90_000 }, async () => {
  const harness = await startOnCluster({ workers: 2 });
  const { producer, prefix } = harness;
  const slot = slotOf(prefix);
  const from = await ownerOf(slot, cluster.primaries);
  const to = cluster.primaries.find(node => node !== from) ?? from;
  const accepted: string[] = [];
  const cancelled: string[] = [];
  let isMoving = true;
  const load = (async () => {
    while (isMoving) {
      try {
        const { id } = await producer.enqueue(scripted({ duration_ms: 50, flip_after_ms: 0 }));
        accepted.push(id);
        if (accepted.length % 5 === 0 && (await producer.cancel(id)).verdict === 'cancelled') cancelled.push(id);
      } catch (error) {
        // While the slot moves, callers hear that they have to ask again.
        expect(error).toMatchObject({ retryable: true });
      }
    }
  })();
  try {
    await expect.poll(() => accepted.length, { timeout: 20_000 }).toBeGreaterThan(100);
    await moveSlot(slot, from, to, { batch: 20, pauseMs: 10 });
  } finally {
    isMoving = false;
  }
  await load;
  for (const id of accepted) await producer.wait(id, { timeoutMs: 60_000 });
  for (const id of cancelled) expect((await producer.get(id))?.status).toBe('cancelled');
  await expectBooksToAgree(harness);
});

test.runIf(hasRedis)(
  'I1, I5: a node that dies and its replica lose nothing that was acknowledged',
  {
    timeout: 90_000,
  },
  async () => {
    const harness = await startOnCluster({ env: { HEADSTONE_WAIT_REPLICAS: '1', HEADSTONE_LANES: '3' } });
    const { producer } = harness;
    const jobs = await producer.enqueueMany(
      Array.from({ length: 60 }, () => ({ request: scripted({ duration_ms: 4000, flip_after_ms: 0 }) })),
    );
    const cancelled = jobs.slice(0, 30);
    for (const { id } of cancelled) expect((await producer.cancel(id)).verdict).toBe('cancelled');
    const lane = await producer.store.laneOf(cancelled[0]?.id ?? '');
    const owner = await ownerOf(slotOf(lane.keys.prefix), cluster.primaries);
    await owner.kill();
    // The heir has no replica, so it shows no result yet. The record says what became of the jobs.
    const statusOf = async (id: string) => (await producer.store.record(id).catch(() => null))?.status;
    for (const { id } of jobs.slice(30)) await expect.poll(() => statusOf(id), { timeout: 60_000 }).toBe('completed');
    for (const { id } of cancelled) expect(await statusOf(id)).toBe('cancelled');
  },
);

test.runIf(hasRedis)(
  'I10: while a node is away its lanes are named, and the others go on',
  { timeout: 90_000 },
  async () => {
    const three = await startRedisCluster(3);
    onTestFinished(() => three.kill());
    const { producer, worker } = await startHarness({
      redisUrl: three.url,
      prefix: `{c-${randomUUID().slice(0, 8)}}`,
      // A create may take longer than a pod is given to stop.
      env: { HEADSTONE_LANES: '6', HEADSTONE_LAUNCH_TIMEOUT_MS: '60000' },
    });
    await producer.enqueue(scripted());
    const owners = await Promise.all(
      producer.store.lanes.map(({ keys }) => ownerOf(slotOf(keys.prefix), three.primaries)),
    );
    // The first lane stays, and at least one other goes.
    const node = owners.find(owner => owner !== owners[0]) as ClusterNode;
    const lost = owners.flatMap((owner, lane) => (owner === node ? [lane] : []));
    await node.kill();
    await expect.poll(async () => (await producer.depths()).lanes_away, { timeout: 20_000 }).toEqual(lost);
    await expect
      .poll(() => worker.ready().catch(() => []), { timeout: 20_000 })
      .toContainEqual(expect.stringMatching(/^Lane \d+ cannot be reached, so its jobs wait\.$/));
    // New jobs go to the lanes that answer, also once the client has asked the others which nodes there are.
    const until = performance.now() + SLOTS_ASKED_EVERY_MS + 1000;
    while (performance.now() < until) {
      const jobs = await Promise.all(Array.from({ length: 6 }, () => producer.enqueue(scripted({ duration_ms: 0 }))));
      for (const { id } of jobs) expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
    }
    // What would not be whole is refused, with the node that is missing.
    const partial = [producer.list(), producer.waste(), producer.ledger()].map(asked =>
      expect(asked).rejects.toThrow(`127.0.0.1:${node.server.port} does not answer`),
    );
    await Promise.all(partial);
    // A worker that is asked to stop takes nothing more from the other lanes, and does not wait for this one.
    const stoppedAt = performance.now();
    await worker.close();
    expect(performance.now() - stoppedAt).toBeLessThan(10_000);
  },
);
