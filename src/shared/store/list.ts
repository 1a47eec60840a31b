import { HeadstoneError } from '../contract/errors.ts';
import type { JobSummary, ListFilter } from '../contract/job.ts';
import type { RedisClient } from './connection/client.ts';
import type { Keys } from './keys.ts';
import type { Lane } from './lane.ts';
import { merge } from './merge.ts';
import { type JobRecord, parseRecord, summaryOf } from './record.ts';

const PAGE = 200;
const LEAST_PAGE = 25;
const DEFAULT_LIMIT = 50;

/** A job's place in the list: the newest first, and of two jobs of one moment the one in the first lane. */
interface Place {
  sequence: number;
  lane: number;
}

interface Listed extends Place {
  record: JobRecord;
}

/**
 * The jobs that match a filter, the newest first. In each lane it reads the smallest index that the filter names and checks the
 * records. `candidates`: the lanes in which the job of `filter.after` may be.
 */
export async function listJobs(lanes: Lane[], candidates: Lane[], filter: ListFilter): Promise<JobSummary[]> {
  const limit = filter.limit ?? DEFAULT_LIMIT;
  const after = filter.after === undefined ? undefined : await placeOf(candidates, filter.after, filter.tenant);
  const page = Math.max(LEAST_PAGE, Math.ceil(PAGE / lanes.length));
  const found: JobSummary[] = [];
  if (limit === 0) return found;
  for await (const { record } of merge(
    lanes.map(lane => jobsOf(lane, filter, after, page)),
    (left, right) => right.sequence - left.sequence || left.lane - right.lane,
  )) {
    found.push(summaryOf(record));
    if (found.length === limit) break;
  }
  return found;
}

async function placeOf(candidates: Lane[], id: string, tenant: string | undefined): Promise<Place> {
  for (const lane of candidates) {
    const [sequence, owner] = await lane.ask(client => client.hmget(lane.keys.job(id), 'sequence', 'tenant'));
    const isSeen = tenant === undefined || owner === tenant;
    if (sequence && isSeen) return { sequence: Number(sequence), lane: lane.number };
  }
  throw new HeadstoneError('invalid_request', `after is not the id of a job on record: ${id}.`, { param: 'after' });
}

/** The jobs of one lane, page by page. */
async function* jobsOf(
  lane: Lane,
  filter: ListFilter,
  after: Place | undefined,
  page: number,
): AsyncGenerator<Listed, void> {
  const { keys, number } = lane;
  const indexes = await lane.ask(client => smallestOf(client, indexesOf(keys, filter)));
  let most = after === undefined ? '+inf' : `${number > after.lane ? '' : '('}${after.sequence}`;
  for (;;) {
    const entries = await lane.ask(client => readPage(client, indexes, most, page));
    const last = entries.at(-1);
    if (last === undefined) return;
    most = `(${last.sequence}`;
    const records = await lane.ask(client => readRecords(client, keys, entries));
    for (const [position, record] of records.entries())
      if (record && matches(record, filter)) yield { record, lane: number, sequence: entries[position]?.sequence ?? 0 };
  }
}

/** The indexes of which each alone has every job that matches; without a filter, those that have all jobs together. */
function indexesOf(keys: Keys, filter: ListFilter): string[][] {
  const named = [
    ...(filter.status === undefined ? [] : [[keys.status(filter.status)]]),
    ...(filter.tenant === undefined ? [] : [[keys.tenant(filter.tenant)]]),
    ...(filter.tag === undefined ? [] : [[keys.tag(filter.tag)]]),
  ];
  return named.length > 0 ? named : [keys.statuses()];
}

async function smallestOf(client: RedisClient, candidates: string[][]): Promise<string[]> {
  if (candidates.length === 1) return candidates[0] as string[];
  const sizes = await Promise.all(candidates.map(([index = '']) => client.zcard(index)));
  return candidates[sizes.indexOf(Math.min(...sizes))] as string[];
}

interface Entry {
  id: string;
  sequence: number;
}

/** The next jobs of several indexes. They are read in one step, because a job moves from one index to another. */
async function readPage(client: RedisClient, indexes: string[], most: string, page: number): Promise<Entry[]> {
  const reading = client.multi();
  for (const index of indexes) reading.zrevrangebyscore(index, most, '-inf', 'WITHSCORES', 'LIMIT', 0, page);
  const answers = (await reading.exec()) ?? [];
  const listed = answers.flatMap(([error, answer]) => {
    if (error) throw error;
    // Ids and scores alternate.
    const flat = answer as string[];
    return flat.flatMap((id, n) => (n % 2 === 0 ? [{ id, sequence: Number(flat[n + 1]) }] : []));
  });
  return listed.sort((left, right) => right.sequence - left.sequence).slice(0, page);
}

/** The record of each entry; null if it is gone. */
async function readRecords(client: RedisClient, keys: Keys, entries: Entry[]): Promise<(JobRecord | null)[]> {
  const hashes = await Promise.all(entries.map(({ id }) => client.hgetall(keys.job(id))));
  return entries.map(({ id }, position) => parseRecord(id, hashes[position] ?? {}));
}

function matches(record: JobRecord, filter: ListFilter): boolean {
  return (
    (filter.status === undefined || record.status === filter.status) &&
    (filter.tenant === undefined || record.tenant === filter.tenant) &&
    (filter.tag === undefined || record.tags.includes(filter.tag))
  );
}
