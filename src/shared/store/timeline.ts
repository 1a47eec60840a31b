import { type Job, timelineEntrySchema } from '../contract/job.ts';
import { isOutcome, type JobStatus } from '../contract/words.ts';
import type { StoredLaunch } from './launches.ts';
import { readAs } from './read-as.ts';

type Entry = Job['timeline'][number];

/** The fields of a record that tell what happened. Times are milliseconds. */
interface Told {
  status: JobStatus;
  created_at: number;
  adopted?: string | undefined;
  epoch?: number | undefined;
  response_id?: string | undefined;
  running_at?: number | undefined;
  decided_at?: number | undefined;
  cause?: string | undefined;
  reason?: string | undefined;
  actor?: string | undefined;
  key_name?: string | undefined;
  code?: string | undefined;
}

/** The most entries that are shown, the newest ones. */
const MOST = 100;

/**
 * What happened to a job, in order. The steps that every job takes are not stored: its record has their times. The others
 * were written when they happened, as were all of them by the version before (docs/decisions/0020).
 */
export function timelineOf(
  record: Told,
  launches: StoredLaunch[],
  stored: string[],
): { entries: Entry[]; isWhole: boolean } {
  const read = stored.map(text => readAs(timelineEntrySchema, text).value);
  const written = read.filter(entry => entry !== undefined);
  const known = new Set(written.map(nameOf));
  const told = toldByRecord(record, launches).filter(entry => !known.has(nameOf(entry)));
  const entries = [...told, ...written].sort((left, right) => left.at - right.at || rankOf(left) - rankOf(right));
  return { entries: entries.slice(-MOST), isWhole: written.length === read.length };
}

function toldByRecord(record: Told, launches: StoredLaunch[]): Entry[] {
  const isAdopted = record.adopted !== undefined;
  return [
    ...(isAdopted ? [] : [{ at: record.created_at, event: 'enqueued' }]),
    ...launches.flatMap(launch => (isAdopted ? [] : storyOf(launch, record))),
    ...outcomeOf(record),
  ];
}

function storyOf(launch: StoredLaunch, record: Told): Entry[] {
  const { epoch, at, response_id } = launch;
  const isNewest = epoch === record.epoch && response_id === record.response_id;
  const acknowledgedAt = launch.acknowledged_at ?? (isNewest ? record.running_at : undefined);
  return [
    { at, event: 'launching', epoch },
    ...(acknowledgedAt === undefined || response_id === null
      ? []
      : [{ at: acknowledgedAt, event: 'launch_acknowledged', response_id, epoch }]),
  ];
}

function outcomeOf({ status, decided_at: at, cause, reason, actor, key_name, code }: Told): Entry[] {
  if (!isOutcome(status) || at === undefined) return [];
  const facts = Object.entries({ cause, reason, actor, key_name, code }).filter(([, fact]) => fact !== undefined);
  return [{ at, event: status, ...Object.fromEntries(facts) }];
}

/** Two entries with one name tell the same step. A launch is named by its epoch. */
function nameOf({ event, epoch }: Entry): string {
  return `${event} ${epoch ?? ''}`;
}

const before = ['enqueued', 'adopted', 'launching', 'launch_acknowledged'];
const after = ['launch_unwanted', 'upstream_cancel_acknowledged', 'late_result_dropped', 'settled', 'result_deleted'];

/** The order of entries of one millisecond: how a job begins, what happens to it, its outcome, what comes after. */
function rankOf({ event }: Entry): number {
  if (before.includes(event)) return before.indexOf(event);
  if (after.includes(event)) return before.length + 2 + after.indexOf(event);
  return isOutcome(event) ? before.length + 1 : before.length;
}
