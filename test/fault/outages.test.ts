import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { startChild } from '../../src/cli/processes/children.ts';
import { createWorker } from '../../src/worker/create-worker.ts';
import { hasRedisServer, type RedisServer } from '../../tools/redis-server.ts';
import { scripted } from '../support/harness.ts';
import { clientOf, startRedis } from '../support/own-redis.ts';
import { isShort, report } from './form.ts';
import { insist } from './patience.ts';
import { aftermathOf } from './scenes/aftermath.ts';
import { layGround } from './scenes/ground.ts';
import { type Line, openLine } from './soak/line.ts';

const hasRedis = hasRedisServer();
if (!hasRedis)
  process.stdout.write(
    'redis-server is not on the PATH, so no outage of one was tried (apt-get install redis-server).\n',
  );

/** How long an outage lasts: longer than a lock in both forms. */
const LASTS_MS = isShort ? 9000 : 30_000;
const JOBS = 40;

interface Hit {
  redis: RedisServer;
  /** The worker's connection. */
  line: Line;
  worker: { kill(signal: NodeJS.Signals): void };
  disk: { fill(): void; clear(): void } | null;
}

interface Outage {
  name: string;
  lastsMs?: number;
  /** True if Redis' disk has to be one that can be filled. */
  needsDisk?: boolean;
  begin(hit: Hit): unknown;
  end(hit: Hit): unknown;
}

const outages: Outage[] = [
  {
    name: 'Redis is stopped',
    begin: ({ redis }) => redis.signal('SIGSTOP'),
    end: ({ redis }) => redis.signal('SIGCONT'),
  },
  {
    name: 'a worker is stopped, and wakes as a zombie',
    lastsMs: 2 * LASTS_MS,
    begin: ({ worker }) => worker.kill('SIGSTOP'),
    end: ({ worker }) => worker.kill('SIGCONT'),
  },
  { name: 'a connection loses every byte', begin: ({ line }) => line.freeze(), end: ({ line }) => line.heal() },
  { name: 'a connection is refused', begin: ({ line }) => line.cut(), end: ({ line }) => line.heal() },
  { name: 'connections are half open', begin: ({ line }) => line.forget(), end: () => {} },
  {
    name: 'Redis is a replica for a while',
    begin: ({ redis }) => clientOf(redis).replicaof('127.0.0.1', 1),
    end: ({ redis }) => clientOf(redis).replicaof('NO', 'ONE'),
  },
  {
    name: 'Redis is out of memory',
    begin: ({ redis }) => clientOf(redis).config('SET', 'maxmemory', '1'),
    end: ({ redis }) => clientOf(redis).config('SET', 'maxmemory', '0'),
  },
  { name: 'Redis’ disk is full', needsDisk: true, begin: ({ disk }) => disk?.fill(), end: ({ disk }) => disk?.clear() },
];

test.runIf(hasRedis)(
  'I1 to I8, I10: whatever becomes of a connection, a worker or Redis, all ends within 45 s of its end',
  {
    timeout: 200_000,
  },
  async () => {
    // Side by side, because they are long.
    expect((await Promise.all(outages.map(suffer))).flat()).toEqual([]);
  },
);

/** Goes through an outage with jobs under way. Returns what a promise forbids. */
async function suffer({ name, needsDisk = false, lastsMs = LASTS_MS, begin, end }: Outage): Promise<string[]> {
  const disk = needsDisk ? smallDisk() : null;
  if (needsDisk && !disk) {
    process.stdout.write(`${name}: not tried, because no file system can be mounted here.\n`);
    return [];
  }
  const redis = await startRedis(
    ...(disk ? ['--dir', disk.folder, '--appendonly', 'yes', '--appendfsync', 'everysec'] : []),
  );
  const ground = await layGround(redis.url);
  const { producer, env, configuration, telemetry } = ground;
  const line = await openLine(redis.url, () => {});
  const worker = await startChild(['worker'], { env: { ...env, REDIS_URL: line.redisUrl } });
  const rescuer = createWorker({ configuration, telemetry });
  await rescuer.start();
  onTestFinished(async () => {
    worker.kill('SIGKILL');
    await rescuer.close();
    line.close();
  });

  const jobs = Array.from({ length: JOBS }, (_, n) => ({ request: scripted(scriptOf(n), `Prompt ${n}`) }));
  const ids = (await producer.enqueueMany(jobs)).map(({ id }) => id);
  const unwanted = ids.filter((_, n) => n % 3 === 0);
  // Eight scenes lay their ground on the same cores at once, which takes a slow machine long.
  await expect.poll(async () => (await ground.ledger()).responses.length, { timeout: 30_000 }).toBeGreaterThan(3);
  await begin({ redis, line, worker, disk });
  const cancelling = Promise.all(
    unwanted.map(async id => ({ id, ...(await insist(() => producer.cancel(id), 2 * LASTS_MS + lastsMs)) })),
  );
  // Writes fail from the moment at which the file cannot grow, and then an enqueue says so.
  if (disk) {
    await expect.poll(() => producer.store.home.probe().catch(code), { timeout: 10_000 }).toBe('store_refused');
    expect(await producer.enqueue(scripted()).catch(code)).toBe('store_refused');
  }
  await sleep(lastsMs);
  await end({ redis, line, worker, disk });
  const endedAt = performance.now();
  const verdicts = await cancelling;
  const struck = { struck: Promise.resolve(endedAt), hasStruck: () => true };
  const { violations } = await aftermathOf(
    { ...ground, ...struck, client: ground.provider, close: async () => {} },
    ids,
  );
  for (const { id, verdict } of verdicts)
    if (verdict === 'cancelled' && (await producer.get(id))?.status !== 'cancelled')
      violations.push(`I1: ${id} is not cancelled any more.`);
  const tookMs = performance.now() - endedAt;
  if (tookMs > ENDED_WITHIN_MS)
    violations.push(`I10: all had ended only ${Math.round(tookMs / 1000)} s after the fault.`);
  const figures = `All jobs had ended ${(tookMs / 1000).toFixed(1)} s after the fault.`;
  report({ part: 'Outages', what: name, tried: JOBS, violations: violations.length, figures });
  return violations.map(violation => `${name}: ${violation}`);
}

const code = (error: { code: string }) => error.code;

const ENDED_WITHIN_MS = 45_000;

const scriptOf = (n: number) => ({
  duration_ms: 300 + n * 150,
  create_ms: 50,
  flip_after_ms: 300,
  cancel: n % 2 ? ('flip' as const) : ('honour' as const),
});

/** A disk that is full after some megabytes; null where none can be mounted. */
function smallDisk() {
  const folder = mkdtempSync(join(tmpdir(), 'headstone-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    rmSync(folder, { recursive: true });
    return null;
  }
  onTestFinished(() => {
    execFileSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true });
  });
  const filler = join(folder, 'filler');
  const fill = () => {
    // Piece by piece, until not even a small one has room.
    for (let bytes = 1 << 20; bytes >= 256; bytes /= 2)
      for (;;)
        try {
          writeFileSync(filler, Buffer.alloc(bytes), { flag: 'a' });
        } catch {
          break;
        }
  };
  return { folder, fill, clear: () => rmSync(filler) };
}
