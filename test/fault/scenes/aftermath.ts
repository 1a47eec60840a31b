import { audit } from '../../../src/cli/reports/audit.ts';
import type { Job } from '../../../src/shared/contract/job.ts';
import type { Lane } from '../../../src/shared/store/lane.ts';
import { DELAYED_SCORE_UNIT } from '../../../src/shared/store/lua/work.ts';
import { askUntil, insist } from '../patience.ts';
import type { Stage } from './stage.ts';

/** When the last fault is over, everything has ended after this long. */
const MOST_MS = 45_000;
const BOOKS_MS = 5000;

export interface Aftermath {
  /** What a promise forbids, in sentences. */
  violations: string[];
  /** From the fault until somebody went on with its jobs; null if nothing was left to do. */
  resumedMs: number | null;
}

/** Waits until the jobs have ended and all is settled, and looks at what must hold afterwards. */
export async function aftermathOf(stage: Stage, ids: string[], creates = 1): Promise<Aftermath> {
  const unfinished = await lastOf(() => unfinishedOf(stage, ids).catch(notSeen), MOST_MS);
  // Who looks asks again like any caller: on a machine that is overloaded an answer may come too late. The two ledgers are read
  // one after the other, and an answer that comes late may stand in one of them only.
  const compare = () => insist(() => compared(stage, ids), MOST_MS);
  const { differences, simulator } = await askUntil(
    compare,
    books => books.isShown || books.differences.length === 0,
    BOOKS_MS,
  );
  const most = creates * ids.length;
  return {
    violations: [
      ...unfinished,
      ...differences,
      ...(simulator.creates > most ? [`I6: ${simulator.creates} creates where ${most} are the most.`] : []),
    ],
    resumedMs: await resumed(stage, ids),
  };
}

async function compared({ producer, ledger }: Stage, ids: string[]) {
  const jobs = (await Promise.all(ids.map(id => producer.get(id)))) as Job[];
  const rows = await producer.ledger();
  const simulator = await ledger();
  // A result that was shown once is shown too often (I1), whatever the next look says.
  const isShown = jobs.some(({ status, response }) => ['cancelled', 'expired'].includes(status) && response !== null);
  return { simulator, isShown, differences: audit({ jobs, rows, simulator }) };
}

const notSeen = (error: Error) => [`I10: nobody can look: ${error.message}`];

/** What still waits, in sentences; each is a violation if it stays (I5, I10). */
async function unfinishedOf({ producer }: Stage, ids: string[]): Promise<string[]> {
  const jobs = await Promise.all(ids.map(id => producer.get(id)));
  const open = jobs.flatMap(job => {
    if (!job) return ['I5: a job is gone.'];
    const intended = job.launches.some(({ state }) => state === 'intended');
    return [
      ...(job.outcome === null ? [`I10: job ${job.id} is still ${job.status}.`] : []),
      ...(intended ? [`I4: a launch of ${job.id} is still neither known nor unknown.`] : []),
    ];
  });
  const pending = (await producer.ledger()).filter(({ status }) => status === 'pending');
  const left = await Promise.all((await producer.store.allLanes()).map(leftIn));
  return [...open, ...pending.map(row => `I3: ${row.response_id} is pending.`), ...left.flat()];
}

/** A poll of a job that has ended meanwhile finds that out when it is due, in half a minute at most. */
const POLL_DUE_MS = 31_000;

/** What a lane still keeps of work, although everything has ended (I9). */
export async function leftIn(lane: Lane): Promise<string[]> {
  const { keys, queues } = lane;
  const counts = await lane.ask(async client => ({
    outbox: await client.zcard(keys.outbox()),
    intents: await client.zcard(keys.intents()),
    open: await client.zcard(keys.open()),
    unsettled: await client.zcard(keys.unsettled()),
    streams: await client.zcard(keys.streams()),
    attended: await client.zcard(keys.attended()),
    cancellations: await client.zcard(keys.cancellations()),
  }));
  const entries = await Promise.all(
    queues.all.map(async queue => {
      const delayed = queue.name === 'poll' ? await overdueIn(lane) : await queue.getDelayedCount();
      return [queue.name, (await queue.getJobCountByTypes('active', 'waiting')) + delayed] as const;
    }),
  );
  return [...Object.entries(counts), ...entries]
    .filter(([, count]) => count > 0)
    .map(([place, count]) => `I9: ${count} left in ${place}.`);
}

/** The parked polls that come later than they may. */
async function overdueIn(lane: Lane): Promise<number> {
  const least = (Date.now() + POLL_DUE_MS) * DELAYED_SCORE_UNIT;
  return await lane.ask(client => client.zcount(lane.queues.poll.toKey('delayed'), least, '+inf'));
}

async function resumed({ struck, hasStruck, told }: Stage, ids: string[]): Promise<number | null> {
  if (!hasStruck()) return null;
  const struckAt = await struck;
  const first = told.find(
    ({ at, event }) => at > struckAt && 'job_id' in event.fields && ids.includes(String(event.fields.job_id)),
  );
  return first ? first.at - struckAt : null;
}

/** The last answer of a question that is asked until its answer is empty. */
export async function lastOf(ask: () => Promise<string[]>, mostMs: number): Promise<string[]> {
  return await askUntil(ask, answer => answer.length === 0, mostMs);
}
