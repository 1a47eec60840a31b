import { audit } from '../../../src/cli/reports/audit.ts';
import type { Producer } from '../../../src/producer/producer.ts';
import type { Job } from '../../../src/shared/contract/job.ts';
import type { SimulatorLedger } from '../../../src/simulator/ledger.ts';
import { lastOf, leftIn } from '../scenes/aftermath.ts';
import { unseen } from '../unseen.ts';
import type { Deployment } from './deployment.ts';
import { misordered } from './misordered.ts';

export interface Books {
  jobs: number;
  /** How many creates the provider was sent. */
  creates: number;
  /** From a moment until nothing was left to do; null if that did not come. */
  endedAfterMs: number | null;
  bytesPerJob: number;
  /** Jobs that failed, by the code. */
  failures: Record<string, number>;
  violations: string[];
}

/** All jobs end within this time of the last blow. */
const ENDED_WITHIN_MS = 60_000;
/** A lock goes with its entry, or by itself when it expires. */
const LOCKS_MS = 5000;
/** What a job of these takes of Redis with its request, result, story and row, and what there is without any job. */
const MOST_BYTES_PER_JOB = 9000;
const MOST_BYTES_BESIDE = 4_000_000;
const PAGE = 1000;

/** Waits until all has ended, and compares everything on record with what the provider knows. */
export async function closeBooks(
  { producer, simulatorUrl, users }: Pick<Deployment, 'producer' | 'simulatorUrl' | 'users'>,
  sinceMs: number,
): Promise<Books> {
  const { store } = producer;
  const left = async () => (await Promise.all((await store.allLanes()).map(leftIn))).flat();
  const unfinished = await lastOf(left, ENDED_WITHIN_MS - (performance.now() - sinceMs));
  const endedAfterMs = unfinished.length === 0 ? performance.now() - sinceMs : null;
  const locks = await lastOf(() => locksOf(producer), LOCKS_MS);
  const ids = await idsOf(producer);
  const jobs: Job[] = [];
  for (const id of ids) jobs.push((await producer.get(id)) as Job);
  const simulator = (await (await fetch(new URL('/sim/ledger', simulatorUrl))).json()) as SimulatorLedger;
  const rows = await producer.ledger();
  const poisoned = jobs.filter(({ outcome }) => outcome?.error?.code === 'poison');
  const open = jobs.filter(({ outcome }) => outcome === null);
  const launched = Map.groupBy(simulator.responses, ({ metadata }) => metadata.headstone?.split('/')[1]);
  const info = await store.ask(client => client.info('memory'));
  const used = Number(/used_memory_dataset:(\d+)/.exec(info)?.[1] ?? 0);
  const isLate = endedAfterMs !== null && endedAfterMs > ENDED_WITHIN_MS;
  return {
    jobs: jobs.length,
    creates: simulator.creates,
    endedAfterMs,
    failures: Object.fromEntries(
      [...Map.groupBy(jobs, ({ outcome }) => outcome?.error?.code)].flatMap(([code, failed]) =>
        code === undefined ? [] : [[code, failed.length]],
      ),
    ),
    bytesPerJob: Math.round(used / Math.max(1, jobs.length)),
    violations: [
      ...unfinished,
      ...locks,
      ...(isLate ? [`I10: all had ended only ${Math.round(endedAfterMs / 1000)} s after the last blow.`] : []),
      ...(used > MOST_BYTES_BESIDE + MOST_BYTES_PER_JOB * jobs.length
        ? [`I9: ${jobs.length} jobs have left ${used} bytes in Redis.`]
        : []),
      ...misordered(jobs, users),
      // Workers died of the blows, and of no job.
      ...poisoned.map(({ id }) => `I5: ${id} was taken for poison.`),
      ...open.map(({ id, status }) => `I10: ${id} is still ${status}.`),
      ...[...launched].flatMap(([id, responses]) =>
        id !== undefined && responses.length > 1 ? [`I6: ${id} was launched ${responses.length} times.`] : [],
      ),
      ...audit({ jobs, rows, simulator }),
      ...unseen(rows, simulator),
    ],
  };
}

async function locksOf({ store }: Producer): Promise<string[]> {
  const lanes = await store.allLanes();
  const locks = await store.ask(client => Promise.all(lanes.map(({ keys }) => client.keys(`${keys.prefix}:*:lock`))));
  return [...new Set(locks.flat())].map(lock => `I9: ${lock} is left.`);
}

async function idsOf(producer: Producer): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const after = ids.at(-1);
    const page = await producer.list({ limit: PAGE, ...(after === undefined ? {} : { after }) });
    ids.push(...page.map(({ id }) => id));
    if (page.length < PAGE) return ids;
  }
}
