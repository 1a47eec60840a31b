import { setTimeout as sleep } from 'node:timers/promises';
import { randomOf } from '../random.ts';
import { closeBooks } from './close-books.ts';
import { openDeployment } from './deployment.ts';
import { unexplained } from './explain.ts';
import { type Blow, blows } from './fleet.ts';
import { orderOf, patient } from './orders.ts';

export interface SoakOptions {
  minutes: number;
  /** Jobs a second. */
  rate: number;
  seed: number;
  /** Hears how it goes, once in ten seconds. */
  onProgress?(line: string): void;
}

export interface SoakReport extends Pick<SoakOptions, 'minutes' | 'rate' | 'seed'> {
  jobs: number;
  ordered: Record<string, number>;
  blows: Record<Blow, number>;
  cases: Record<string, number>;
  /** Jobs that failed, by the code. */
  failures: Record<string, number>;
  /** How many answers the history has. */
  answers: number;
  /** From the last blow until everything had ended; null if that did not come. */
  endedAfterMs: number | null;
  bytesPerJob: number;
  /** Of users who had no answer after two minutes of trying: the last reason. Their jobs have to end all the same. */
  gaveUp: string[];
  violations: string[];
}

const BLOW_EVERY_MS = 1000;
/** How long it takes until a job is cancelled whose server died together with its caller. */
const DESERTION_MS = 55_000;
const PROGRESS_EVERY_MS = 10_000;

/** Six workers and two servers under load, of which one is hit each second, and the books afterwards. */
export async function soak({ minutes, rate, seed, onProgress = () => {} }: SoakOptions): Promise<SoakReport> {
  const random = randomOf(seed);
  const deployment = await openDeployment(seed);
  const { fleet, users, history, cases } = deployment;

  const struck = Object.fromEntries(blows.map(blow => [blow, 0])) as Record<Blow, number>;
  const startedAt = performance.now();
  const until = startedAt + minutes * 60_000;
  const orders: Promise<void>[] = [];
  const ordering = (async () => {
    for (let number = 0; performance.now() < until; number += 1) {
      const order = orderOf(number, random);
      orders.push(users.order(until - performance.now() > DESERTION_MS ? order : patient(order)));
      // By the clock, so that a slow moment is made up for.
      await sleep(Math.max(0, startedAt + (number * 1000) / rate - performance.now()));
    }
  })();
  const striking = (async () => {
    while (performance.now() < until) {
      const blow = fleet.strike(random);
      if (blow) struck[blow] += 1;
      await sleep(BLOW_EVERY_MS);
    }
  })();
  const progress = setInterval(() => {
    const left = Math.max(0, Math.round((until - performance.now()) / 1000));
    onProgress(
      `${left} s left; ${orders.length} jobs ordered, ${users.gaveUp.length} users gave up, ${users.complaints.length} complaints.`,
    );
  }, PROGRESS_EVERY_MS);

  await Promise.all([ordering, striking]);
  await fleet.recovered();
  const lastBlowAt = performance.now();
  onProgress('The last blow is over.');
  await Promise.all(orders);
  const books = await closeBooks(deployment, lastBlowAt);
  clearInterval(progress);
  cases.add('cancel won', history.told.filter(({ won }) => won).length);
  cases.add('completion won', history.told.filter(({ by, said }) => by === 'a cancel' && said === 'completed').length);
  const broken = await deployment.close();
  return {
    minutes,
    rate,
    seed,
    jobs: books.jobs,
    ordered: users.ordered,
    blows: struck,
    cases: cases.counts,
    answers: history.told.length,
    failures: books.failures,
    endedAfterMs: books.endedAfterMs,
    bytesPerJob: books.bytesPerJob,
    gaveUp: users.gaveUp,
    violations: [...users.complaints, ...unexplained(history), ...books.violations, ...broken],
  };
}
