import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createProducer, type ProducerOptions } from '../../src/producer/create-producer.ts';
import { startHealthServer } from '../../src/server/health.ts';
import { createMetrics } from '../../src/shared/runtime/metrics.ts';
import { Telemetry } from '../../src/shared/runtime/telemetry.ts';
import { createWorker } from '../../src/worker/create-worker.ts';
import { hasRedisServer } from '../../tools/redis-server.ts';
import { type Harness, scripted, startHarness } from '../support/harness.ts';
import { clientOf, startRedis } from '../support/own-redis.ts';
import { startProxy } from '../support/proxy.ts';

const hasRedis = hasRedisServer();
if (!hasRedis)
  process.stdout.write(
    'redis-server is not on the PATH, so what a Redis can do to its clients was not tried (apt-get install redis-server).\n',
  );

async function readiness({ worker, telemetry }: Harness) {
  const health = await startHealthServer(
    { port: 0, host: '127.0.0.1' },
    {
      ready: () => worker.ready(),
      lively: () => worker.isLively(),
      metrics: createMetrics(telemetry, () => worker.depths()),
    },
  );
  onTestFinished(() => health.close());
  return async () => {
    const answer = await fetch(`${health.url}/readyz`);
    return { code: answer.status, ...((await answer.json()) as { status: string; obstacles?: string[] }) };
  };
}

/** Prints the figures that docs/operations.md quotes. */
function elapsed(what: string, since: number): number {
  const ms = Math.round(performance.now() - since);
  process.stdout.write(`every-redis: ${what}: ${ms} ms\n`);
  return ms;
}

const openai = { apiKey: 'any', baseURL: 'http://127.0.0.1:1/v1' };

describe.runIf(hasRedis)('a server that is the wrong one by now', () => {
  test('I3, I10: a primary that became a replica is left, and an id in the hand is written to the new one', {
    timeout: 90_000,
  }, async () => {
    const primary = await startRedis();
    const heir = await startRedis('--replicaof', '127.0.0.1', String(primary.port));
    const heirClient = clientOf(heir);
    await expect.poll(() => heirClient.info('replication'), { timeout: 10_000 }).toContain('master_link_status:up');
    const wire = await startProxy(primary.port);
    const env = { HEADSTONE_UNKNOWN_GRACE_MS: '15000', HEADSTONE_LAUNCH_TIMEOUT_MS: '10000' };
    const harness = await startHarness({ redisUrl: wire.redisUrl, env });
    const { producer, simulatorLedger, events } = harness;
    const ready = await readiness(harness);
    const inFlight = await producer.enqueue(scripted({ create_ms: 1000 }, 'In flight'));
    await expect.poll(async () => (await simulatorLedger()).creates).toBe(1);
    // The heir has the job and its intent before it takes over: what a failover loses is another test's subject.
    const primaryClient = clientOf(primary);
    await primaryClient.set('last', '1');
    expect(await primaryClient.wait(1, 5000)).toBe(1);
    // A managed failover: the roles change, the name resolves to another server, and no connection is closed.
    await heirClient.replicaof('NO', 'ONE');
    await primaryClient.replicaof('127.0.0.1', String(heir.port));
    const movedAt = performance.now();
    wire.leadNextTo(heir.port);
    const warnings: string[] = [];
    const warn = ({ name }: Error) => void warnings.push(name);
    process.on('warning', warn);
    onTestFinished(() => void process.off('warning', warn));
    // All of them are refused at once.
    await Promise.allSettled(Array.from({ length: 40 }, (_, n) => producer.enqueue(scripted({}, `Refused ${n}`))));
    await expect
      .poll(() => producer.wait(inFlight.id, { timeoutMs: 500 }).catch(() => producer.get(inFlight.id)), {
        timeout: 20_000,
      })
      .toMatchObject({ status: 'completed' });
    const after = await producer.enqueue(scripted({}, 'After'));
    expect(await producer.wait(after.id)).toMatchObject({ status: 'completed' });
    expect(elapsed('READONLY, until a new job is completed', movedAt)).toBeLessThan(10_000);
    await expect.poll(async () => (await ready()).code).toBe(200);
    const { responses } = await simulatorLedger();
    expect((await producer.ledger()).map(row => row.response_id).sort()).toEqual(
      responses.map(({ response_id }) => response_id).sort(),
    );
    expect(events.filter(({ name }) => name === 'launch_unrecorded')).toEqual([]);
    expect(warnings).toEqual([]);
  });

  test('a replica that stays one is told at the start, and by health', { timeout: 30_000 }, async () => {
    const primary = await startRedis();
    const harness = await startHarness({ redisUrl: primary.url });
    const ready = await readiness(harness);
    expect((await ready()).code).toBe(200);
    const other = await startRedis();
    await clientOf(primary).replicaof('127.0.0.1', String(other.port));
    await expect.poll(ready, { timeout: 10_000 }).toMatchObject({ code: 503 });
    await clientOf(primary).replicaof('NO', 'ONE');
    await expect.poll(async () => (await ready()).code, { timeout: 15_000 }).toBe(200);
  });
});

describe.runIf(hasRedis)('a connection whose other end is gone without a word', () => {
  test('I10: it is noticed by its silence, replaced and told, and the worker works', { timeout: 60_000 }, async () => {
    const redis = await startRedis();
    const wire = await startProxy(redis.port);
    const harness = await startHarness({ redisUrl: wire.redisUrl });
    const { producer, happened } = harness;
    const ready = await readiness(harness);
    await producer.wait((await producer.enqueue(scripted())).id);
    wire.forget();
    const forgottenAt = performance.now();
    await expect.poll(async () => (await ready()).code, { timeout: 5000 }).toBe(503);
    elapsed('half open, until readiness is 503', forgottenAt);
    expect(await happened('store_lost')).toMatchObject({ error: 'silent connection' });
    expect(elapsed('half open, until it is noticed and told', forgottenAt)).toBeLessThan(15_000);
    // The caller notices its dead connection at its first call.
    await expect
      .poll(() => producer.enqueue(scripted({}, 'After')).catch(() => null), { timeout: 20_000 })
      .not.toBeNull();
    await expect
      .poll(async () => (await producer.list({ status: 'completed' })).length, { timeout: 20_000 })
      .toBeGreaterThanOrEqual(2);
    expect(elapsed('half open, until a new job is completed', forgottenAt)).toBeLessThan(22_000);
    await expect.poll(async () => (await ready()).code, { timeout: 15_000 }).toBe(200);
  });

  test('a worker that is asked to stop meanwhile stops within its bound', { timeout: 60_000 }, async () => {
    const redis = await startRedis();
    const wire = await startProxy(redis.port);
    const { producer, worker } = await startHarness({ redisUrl: wire.redisUrl });
    await producer.wait((await producer.enqueue(scripted())).id);
    wire.forget();
    const askedAt = performance.now();
    await worker.close();
    expect(elapsed('half open, from the request to stop to the end', askedAt)).toBeLessThan(20_000);
  });
});

describe.runIf(hasRedis)('a connection that is not what it seems', () => {
  const refusedBy = async (options: ProducerOptions, code: string, sentence: RegExp) => {
    const ready = async () => {
      const producer = createProducer({ prefix: '{x}', ...options });
      try {
        await producer.ready();
      } finally {
        await producer.close();
      }
    };
    await expect(ready()).rejects.toMatchObject({ code, message: expect.stringMatching(sentence) });
  };

  test('a database that is not there is refused by everybody, and never another one used', async () => {
    const redis = await startRedis('--databases', '4');
    await refusedBy(
      { connection: `${redis.url}/4` },
      'store_unsuitable',
      /has no database 4, because it has fewer databases/,
    );
    const worker = createWorker({ connection: `${redis.url}/9`, prefix: '{x}', openai });
    await expect(worker.start()).rejects.toThrow('has no database 9');
    await worker.close();
    await clientOf(redis).call('ACL', 'SETUSER', 'app', 'on', '>secret-word', '~*', '&*', '+@all', '-select');
    const limited = redis.url.replace('://', '://app:secret-word@');
    await refusedBy({ connection: `${limited}/3` }, 'store_unsuitable', /^(?!.*secret-word).*may not select it/);
    for (const connection of [`${redis.url}/abc`, { host: '127.0.0.1', port: redis.port, db: 1.5 }])
      await refusedBy({ connection }, 'configuration', /a database that is not a whole number/);
    expect(await clientOf(redis).dbsize()).toBe(0);
  });

  test('each reason is told with the address that was asked, and without a piece of a password', async () => {
    const locked = await startRedis('--requirepass', 'secret-word');
    await refusedBy(
      { connection: locked.url },
      'store_refused',
      new RegExp(`127.0.0.1:${locked.port} needs a password`),
    );
    const wrong = locked.url.replace('://', '://:other-word@');
    await refusedBy({ connection: wrong }, 'store_refused', /^(?!.*-word).*does not accept this user and password/);
    const poor = await startRedis('--rename-command', 'EVALSHA', '', '--rename-command', 'INFO', '');
    await refusedBy({ connection: poor.url }, 'store_unsuitable', /does not know the command INFO/);
    const node = await startRedis('--cluster-enabled', 'yes');
    await refusedBy({ connection: node.url }, 'store_refused', /a node of a Redis Cluster/);
    await refusedBy({ connection: locked.url.replace('redis:', 'rediss:') }, 'store_unreachable', /127\.0\.0\.1/);
    await refusedBy({ connection: 'http://127.0.0.1:1' }, 'configuration', /has to start with redis/);
    await refusedBy(
      { connection: locked.url, prefix: 'myapp' },
      'configuration',
      /prefix must hold a hash tag in braces/,
    );
  });

  test('a socket, and options with a URL among them, are connections too', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'headstone-socket-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'redis.sock');
    const redis = await startRedis('--unixsocket', path);
    for (const connection of [`unix://${path}`, `unix://${path}?db=3`, { url: redis.url }, { url: `${redis.url}/2` }]) {
      const producer = createProducer({ connection, prefix: '{x}' });
      await producer.enqueue(scripted());
      await producer.close();
    }
    const client = clientOf(redis);
    expect(await client.dbsize()).toBeGreaterThan(0);
    for (const database of [2, 3]) {
      await client.select(database);
      expect(await client.dbsize()).toBeGreaterThan(0);
    }
  });

  test.runIf(spawnSync('openssl', ['version']).status === 0)(
    'a certificate of an unknown authority is told as such, and what to do',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'headstone-tls-'));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
      const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate];
      spawnSync('openssl', [...made, '-days', '2', '-subj', '/CN=localhost']);
      const { port } = await startRedis(
        ...[
          '--port',
          '0',
          '--tls-port',
          '{port}',
          '--tls-cert-file',
          certificate,
          '--tls-key-file',
          key,
          '--tls-auth-clients',
          'no',
        ],
      );
      await refusedBy(
        { connection: `rediss://127.0.0.1:${port}` },
        'store_unreachable',
        /has a self-signed certificate .*NODE_EXTRA_CA_CERTS/,
      );
    },
  );

  test('a worker hears its queue with an app’s client that has a commandTimeout, and says what it left out', {
    timeout: 30_000,
  }, async () => {
    const redis = await startRedis();
    const telemetry = new Telemetry();
    const said: string[] = [];
    telemetry.subscribe(({ name, fields }) => name === 'setting_unknown' && said.push(JSON.stringify(fields)));
    const own = new Redis(redis.url, { commandTimeout: 300, maxRetriesPerRequest: null });
    onTestFinished(() => own.disconnect());
    const { simulator, prefix } = await startHarness({ workers: 0 });
    const worker = createWorker({
      connection: own,
      prefix,
      telemetry,
      openai: { apiKey: 'any', baseURL: simulator.url },
    });
    await worker.start();
    onTestFinished(() => worker.close());
    const producer = createProducer({ connection: redis.url, prefix });
    onTestFinished(() => producer.close());
    // Its blocking read has waited for longer than the app's time-out by then.
    await expect
      .poll(async () => await clientOf(redis).call('CLIENT', 'LIST'), { timeout: 5000 })
      .toContain('cmd=bzpopmin');
    const first = await producer.enqueue(scripted({}, 'First'));
    expect(await producer.wait(first.id)).toMatchObject({ status: 'completed' });
    expect(said.join()).toContain('commandTimeout');
    expect(own.status).toBe('ready');
  });
});

test.runIf(hasRedis)(
  'a full store is told in one line, by health and by status, and a cancel still works',
  {
    timeout: 30_000,
  },
  async () => {
    const redis = await startRedis();
    const harness = await startHarness({ redisUrl: redis.url });
    const { producer, happened, events } = harness;
    const ready = await readiness(harness);
    const { id } = await producer.enqueue(scripted({ stuck: true }));
    await happened('launch_acknowledged');
    const client = clientOf(redis);
    await client.config('SET', 'maxmemory', '1');
    const fullAt = performance.now();
    expect(await ready()).toMatchObject({ code: 200, obstacles: [expect.stringContaining('full')] });
    elapsed('full, until readiness says so', fullAt);
    expect(await producer.depths()).toMatchObject({ store: 'full' });
    await expect(producer.enqueue(scripted())).rejects.toMatchObject({
      code: 'store_refused',
      message: expect.stringContaining('is full'),
    });
    expect(await producer.cancel(id)).toEqual({ verdict: 'cancelled' });
    expect(await happened('store_refuses')).toMatchObject({ code: 'OOM' });
    await client.config('SET', 'maxmemory', '0');
    const roomAt = performance.now();
    await happened('store_writes');
    elapsed('room again, until it is told', roomAt);
    expect(await ready()).toEqual({ code: 200, status: 'ok' });
    expect(events.filter(({ name }) => name === 'store_refuses')).toHaveLength(1);
  },
);
