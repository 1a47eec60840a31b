import { boundsOf } from '../contract/days.ts';
import type { JobFilter } from '../contract/job.ts';
import type { RedisClient } from './connection/client.ts';
import { indexesOf } from './job-filter.ts';
import type { Keys } from './keys.ts';
import type { Lane } from './lane.ts';
import { merge } from './merge.ts';
import { type JobRecord, parseRecord } from './record.ts';

const PAGE = 200;
const LEAST_PAGE = 25;

/** How far the order of jobs may differ from the order of their times, because callers' clocks differ. */
const SLACK_MS = 2000;

export type Order = 'newest' | 'oldest';

/** A job's place in the list, and of two jobs of one moment the one in the first lane comes first. */
export interface Place {
  sequence: number;
  lane: number;
}

export interface Met extends Place {
  record: JobRecord;
}

export interface Walk {
  filter: JobFilter;
  order: Order;
  after?: Place | undefined;
}

/**
 * The jobs of the smallest index that a filter names, in order of their enqueue, over all lanes. Not all of them match. It reads
 * no further than the filter's period.
 */
export function walkJobs(lanes: Lane[], walk: Walk): AsyncGenerator<Met, void> {
  const page = Math.max(LEAST_PAGE, Math.ceil(PAGE / lanes.length));
  const sign = walk.order === 'newest' ? 1 : -1;
  return merge(
    lanes.map(lane => walkLane(lane, walk, page)),
    (left, right) => sign * (right.sequence - left.sequence) || left.lane - right.lane,
  );
}

/** The jobs of one lane, page by page. */
async function* walkLane(lane: Lane, { filter, order, after }: Walk, page: number): AsyncGenerator<Met, void> {
  const { keys, number } = lane;
  const { from, to } = boundsOf(filter);
  const indexes = await lane.ask(client => smallestOf(client, indexesOf(keys, filter)));
  let edge = after
    ? `${number > after.lane ? '' : '('}${after.sequence}`
    : await lane.ask(client => firstEdge(client, keys, indexes, order === 'newest' ? to + SLACK_MS : from - SLACK_MS));
  for (;;) {
    const entries = await lane.ask(client => readPage(client, indexes, { edge, order, page }));
    const last = entries.at(-1);
    if (last === undefined) return;
    edge = `(${last.sequence}`;
    const records = await lane.ask(client => readRecords(client, keys, entries));
    for (const [position, record] of records.entries()) {
      if (!record) continue;
      if (order === 'newest' ? record.created_at < from - SLACK_MS : record.created_at > to + SLACK_MS) return;
      yield { record, lane: number, sequence: entries[position]?.sequence ?? 0 };
    }
  }
}

/** The index that has the fewest jobs. */
async function smallestOf(client: RedisClient, candidates: string[][]): Promise<string[]> {
  if (candidates.length === 1) return candidates[0] as string[];
  const sizes = await Promise.all(candidates.map(([index = '']) => client.zcard(index)));
  return candidates[sizes.indexOf(Math.min(...sizes))] as string[];
}

/**
 * Where a walk begins that is bounded by a time: at the first job that was enqueued then or later. Jobs are in the order of their
 * times, so half of them can be left out with each look.
 */
async function firstEdge(client: RedisClient, keys: Keys, indexes: string[], at: number): Promise<string> {
  if (!Number.isFinite(at)) return at > 0 ? '+inf' : '-inf';
  const edges = await Promise.all(
    indexes.map(async index => {
      let low = 0;
      let high = await client.zcard(index);
      while (low < high) {
        const middle = Math.floor((low + high) / 2);
        const [id] = await client.zrange(index, String(middle), String(middle));
        const createdAt = id === undefined ? null : await client.hget(keys.job(id), 'created_at');
        if (Number(createdAt ?? 0) < at) low = middle + 1;
        else high = middle;
      }
      const [, score] = await client.zrange(index, String(low), String(low), 'WITHSCORES');
      return score === undefined ? Number.POSITIVE_INFINITY : Number(score);
    }),
  );
  const first = Math.min(...edges);
  return Number.isFinite(first) ? String(first) : '+inf';
}

interface Entry {
  id: string;
  sequence: number;
}

/** The next jobs of several indexes. They are read in one step, because a job moves from one index to another. */
async function readPage(
  client: RedisClient,
  indexes: string[],
  { edge, order, page }: { edge: string; order: Order; page: number },
): Promise<Entry[]> {
  const reading = client.multi();
  for (const index of indexes)
    if (order === 'newest') reading.zrevrangebyscore(index, edge, '-inf', 'WITHSCORES', 'LIMIT', 0, page);
    else reading.zrangebyscore(index, edge, '+inf', 'WITHSCORES', 'LIMIT', 0, page);
  const answers = (await reading.exec()) ?? [];
  const listed = answers.flatMap(([error, answer]) => {
    if (error) throw error;
    // Ids and scores alternate.
    const flat = answer as string[];
    return flat.flatMap((id, n) => (n % 2 === 0 ? [{ id, sequence: Number(flat[n + 1]) }] : []));
  });
  const sign = order === 'newest' ? 1 : -1;
  return listed.sort((left, right) => sign * (right.sequence - left.sequence)).slice(0, page);
}

/** The record of each entry; null if it is gone. */
async function readRecords(client: RedisClient, keys: Keys, entries: Entry[]): Promise<(JobRecord | null)[]> {
  const hashes = await Promise.all(entries.map(({ id }) => client.hgetall(keys.job(id))));
  return entries.map(({ id }, position) => parseRecord(id, hashes[position] ?? {}));
}
