import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { hasRedisServer } from '../../tools/redis-server.ts';
import { report, seed } from './form.ts';
import { randomOf } from './random.ts';
import { closeBooks } from './soak/close-books.ts';
import { openDeployment } from './soak/deployment.ts';
import { unexplained } from './soak/explain.ts';
import { orderOf, patient } from './soak/orders.ts';

const TIMES = 10;
/** Jobs a second: enqueued, over HTTP, as plain creates, as streams and adopted. A fifth of them is cancelled. */
const RATE = 12;

const hasRedis = hasRedisServer();
if (!hasRedis)
  process.stdout.write(
    'redis-server is not on the PATH, so nobody was asked to stop under load (apt-get install redis-server).\n',
  );

test.runIf(hasRedis)(
  'I5, I6, I10: a worker and a server are asked to stop under load, ten times in a row, and nobody notices',
  { timeout: 240_000 },
  async () => {
    const random = randomOf(seed);
    // No worker is killed here, so the lock need not be as short as in the soak, and on a busy machine none is lost by chance.
    const deployment = await openDeployment(seed, { HEADSTONE_LOCK_MS: '8000' });
    const { fleet, users, history, cases } = deployment;
    const orders: Promise<void>[] = [];
    let isOver = false;
    const ordering = (async () => {
      for (let number = 0; !isOver; number += 1) {
        orders.push(users.order(patient(orderOf(number, random))));
        await sleep(1000 / RATE);
      }
    })();
    const [workers, servers] = (['worker', 'server'] as const).map(kind =>
      fleet.members.filter(member => member.kind === kind),
    );
    for (let time = 0; time < TIMES; time += 1) {
      const stopped = [workers?.[time % workers.length], servers?.[time % servers.length]];
      await Promise.all(stopped.map(async member => member && fleet.hit(member, 'asked to stop')));
    }
    isOver = true;
    await ordering;
    const lastStopAt = performance.now();
    await Promise.all(orders);
    const books = await closeBooks(deployment, lastStopAt);
    // Each process ended by itself, with exit code 0 and within the thirty seconds that Kubernetes gives it.
    const broken = await deployment.close();
    const violations = [
      ...users.complaints,
      ...users.gaveUp,
      ...unexplained(history),
      ...books.violations,
      ...broken,
      ...Object.entries(books.failures).map(([code, jobs]) => `${jobs} jobs failed: ${code}`),
      ...(cases.counts['unknown launch'] > 0 ? [`${cases.counts['unknown launch']} launches are unknown.`] : []),
    ];
    report({
      part: 'Drain',
      what: `SIGTERM under load, ${TIMES} times in a row, of a worker and a server`,
      tried: books.jobs,
      violations: violations.length,
      figures: `The last job had ended ${((books.endedAfterMs ?? 0) / 1000).toFixed(1)} s after the last stop.`,
    });
    expect(violations).toEqual([]);
    expect(books.jobs).toBeGreaterThan(TIMES);
    expect(books.creates).toBeLessThanOrEqual(books.jobs);
  },
);
