import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createProducer } from '../../src/producer/create-producer.ts';
import type { Producer } from '../../src/producer/producer.ts';
import { loadConfiguration } from '../../src/shared/runtime/configuration.ts';
import { hasRedisServer, startRedisServer } from '../../tools/redis-server.ts';
import { lanesOfSuite } from '../support/lanes.ts';
import { isShort, report } from './form.ts';
import { inTurns } from './scenes/play.ts';

const hasRedis = hasRedisServer();
if (!hasRedis)
  process.stdout.write(
    'redis-server is not on the PATH, so no cancel was tried against a kill of Redis (apt-get install redis-server).\n',
  );

const KILLS = isShort ? 3 : 50;
const AT_ONCE = 20;

function open(redisUrl: string): Producer {
  const { configuration } = loadConfiguration({ ...lanesOfSuite, HEADSTONE_PREFIX: '{lost}' });
  const producer = createProducer({ connection: redisUrl, configuration });
  onTestFinished(() => producer.close());
  return producer;
}

async function enqueue(producer: Producer, count: number): Promise<string[]> {
  const jobs = Array.from({ length: count }, (_, n) => ({ request: { model: 'm', input: `Prompt ${n}` } }));
  return (await producer.enqueueMany(jobs)).map(({ id }) => id);
}

/** Cancels jobs, and returns those whose cancel was acknowledged. */
async function cancelAll(producer: Producer, ids: string[], between: (done: number) => void): Promise<string[]> {
  let done = 0;
  const acknowledged = await inTurns(AT_ONCE, ids, async id => {
    const isDone = await producer.cancel(id).then(
      ({ verdict }) => verdict === 'cancelled',
      () => false,
    );
    done += 1;
    between(done);
    return isDone ? [id] : [];
  });
  return acknowledged.flat();
}

async function lostOf(producer: Producer, acknowledged: string[]): Promise<string[]> {
  const jobs = await inTurns(AT_ONCE, acknowledged, async id => ({ id, status: (await producer.get(id))?.status }));
  return jobs.flatMap(({ id, status }) => (status === 'cancelled' ? [] : [id]));
}

test.runIf(hasRedis)(
  'I1: no cancel that was acknowledged is lost when Redis is killed with appendfsync always',
  {
    timeout: 600_000,
  },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'headstone-log-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    // With everysec, Redis answers before it has written while an earlier fsync takes long (docs/decisions/0033).
    const log = ['--dir', folder, '--appendonly', 'yes', '--appendfsync', 'always'];
    const start = async () => await startRedisServer(...log);
    let redis = await start();
    onTestFinished(() => redis.kill());
    let [tried, lost] = [0, 0];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const producer = open(redis.url);
      const ids = await enqueue(producer, AT_ONCE * 5);
      let killing: Promise<void> | undefined;
      const acknowledged = await cancelAll(producer, ids, done => {
        if (done === AT_ONCE + kill) killing = redis.kill();
      });
      await killing;
      redis = await start();
      tried += acknowledged.length;
      lost += (await lostOf(open(redis.url), acknowledged)).length;
    }
    report({
      part: 'Kills of Redis',
      what: `kill -9 with appendfsync always, ${KILLS} times, under cancels`,
      tried,
      violations: lost,
    });
    expect(lost).toBe(0);
    expect(tried).toBeGreaterThan(KILLS * AT_ONCE);
  },
);
