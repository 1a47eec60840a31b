import { expect, test } from 'vitest';
import { startCommand } from '../support/cli.ts';
import { startFrontDoor } from '../support/front-door.ts';
import { scripted, startHarness } from '../support/harness.ts';
import { startProxy } from '../support/proxy.ts';

const keys = { alice: 'key-of-alice-0123456789', root: 'key-of-root-0123456789a' };
const apiKeys = [
  { name: 'alice', key: keys.alice, tenant: 'harbour', admin: false },
  { name: 'root', key: keys.root, tenant: 'harbour', admin: true },
];

async function startHouse() {
  const house = await startFrontDoor({ workers: 0, apiKeys });
  const call = async (
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
    key = keys.root,
  ) => {
    const answer = await fetch(`${house.server.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  await house.producer.enqueueMany(
    Array.from({ length: 120 }, (_, n) => ({ request: scripted({}, `Prompt ${n}`), options: { tags: ['nightly'] } })),
  );
  return { ...house, call };
}

test('bulk over HTTP: a dry run changes nothing, a 202 can be followed to its end, a repeat is harmless', async () => {
  const { call, producer } = await startHouse();
  const filter = { tag: 'nightly' };
  const dry = await call('POST', '/v1/cancellations', { filter, dry_run: true });
  expect(dry).toMatchObject({ status: 200, body: { dry_run: true, jobs: 120, by_status: { queued: 120 } } });
  expect(await producer.list({ status: 'queued', limit: 1000 })).toHaveLength(120);

  const order = { filter, reason: 'withdrawn', actor: 'alice' };
  const begun = await call('POST', '/v1/cancellations', order, { 'idempotency-key': 'once' });
  expect(begun).toMatchObject({ status: 202, body: { expected: 120, key_name: 'root' } });
  const path = `/v1/cancellations/${begun.body.id}`;
  await expect.poll(async () => (await call('GET', path)).body.status).toBe('done');
  expect((await call('GET', path)).body).toMatchObject({ cancelled: 120 });
  expect((await call('POST', '/v1/cancellations', order, { 'idempotency-key': 'once' })).body.id).toBe(begun.body.id);
  const [job] = await producer.list({ limit: 1 });
  expect(job?.tombstone).toMatchObject({ reason: 'withdrawn', actor: 'alice', key_name: 'root' });
  expect((await call('DELETE', path)).body.status).toBe('done');
});

test('bulk is for admins, and what is wrong with it is said', async () => {
  const { call } = await startHouse();
  const refused = await call('POST', '/v1/cancellations', { filter: { tag: 'nightly' } }, {}, keys.alice);
  expect(refused).toMatchObject({ status: 403, body: { error: { code: 'insufficient_permissions' } } });
  expect((await call('GET', '/v1/cancellations/any', undefined, {}, keys.alice)).status).toBe(403);
  expect((await call('POST', '/v1/cancellations', { filter: {} })).status).toBe(400);
  expect((await call('POST', '/v1/cancellations', { filter: { tag: 'x' }, force: true })).status).toBe(400);
  expect((await call('GET', '/v1/cancellations/nobody')).status).toBe(404);
});

test('I5: a CLI that is killed in the middle leaves its cancellation to the workers', { timeout: 60_000 }, async () => {
  const { producer, redisUrl, prefix, happened, startWorker } = await startHarness({ workers: 0 });
  await producer.pauseLaunch(true);
  await producer.enqueueMany(
    Array.from({ length: 1000 }, (_, n) => ({ request: scripted({}, `Prompt ${n}`), options: { tags: ['nightly'] } })),
  );
  const wire = await startProxy();
  // Forty steps of 25 jobs, each of which waits for the slow connection.
  wire.slow(100);
  const cli = startCommand(['cancel', '--tag', 'nightly', '--reason', 'withdrawn', '--yes'], {
    HEADSTONE_PREFIX: prefix,
    REDIS_URL: new URL(new URL(redisUrl).pathname, wire.redisUrl).href,
  });
  await expect
    .poll(async () => (await producer.list({ status: 'cancelled', limit: 50 })).length, { timeout: 30_000 })
    .toBeGreaterThanOrEqual(50);
  cli.kill('SIGKILL');
  await cli.ended;
  const cancelled = async () => (await producer.list({ status: 'cancelled', limit: 1000 })).length;
  expect(await cancelled()).toBeLessThan(1000);

  await startWorker();
  const { cancellation_id: id } = await happened('cancellation_taken_over');
  await expect.poll(async () => (await producer.cancellations.get(id)).status, { timeout: 15_000 }).toBe('done');
  expect(await producer.cancellations.get(id)).toMatchObject({ expected: 1000, cancelled: 1000 });
  const jobs = await producer.list({ status: 'cancelled', limit: 1000 });
  expect(jobs).toHaveLength(1000);
  expect(new Set(jobs.map(({ tombstone }) => tombstone?.reason))).toEqual(new Set(['withdrawn']));
});

test('I5: so does a server that ends', { timeout: 30_000 }, async () => {
  const { producer, happened, startWorker } = await startHouse();
  await producer.pauseLaunch(true);
  const { id } = await producer.cancellations.begin({ tag: 'nightly' });
  await producer.store.home.run('advance_cancellation', { id, limit: 10, keep_ms: 60_000 });
  await startWorker();
  await happened('cancellation_taken_over');
  await expect
    .poll(() => producer.cancellations.get(id), { timeout: 15_000 })
    .toMatchObject({ status: 'done', cancelled: 120 });
});
