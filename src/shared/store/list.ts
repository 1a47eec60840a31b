import { HeadstoneError } from '../contract/errors.ts';
import type { JobSummary, ListFilter } from '../contract/job.ts';
import type { RedisClient } from './connection/client.ts';
import type { Keys } from './keys.ts';
import { type JobRecord, parseRecord, summaryOf } from './record.ts';

const PAGE = 200;
const DEFAULT_LIMIT = 50;

/** The jobs that match a filter, the newest first. It reads the smallest index that the filter names and checks the records. */
export async function listJobs(client: RedisClient, keys: Keys, filter: ListFilter): Promise<JobSummary[]> {
  const indexes = await smallestOf(client, indexesOf(keys, filter));
  const limit = filter.limit ?? DEFAULT_LIMIT;
  const found: JobSummary[] = [];
  let most = filter.after === undefined ? '+inf' : `(${await sequenceOf(client, keys, filter.after, filter.tenant)}`;
  while (found.length < limit) {
    const page = await readPage(client, indexes, most);
    const last = page.at(-1);
    if (last === undefined) break;
    most = `(${last.sequence}`;
    for (const record of await readRecords(client, keys, page))
      if (matches(record, filter) && found.length < limit) found.push(summaryOf(record));
  }
  return found;
}

async function sequenceOf(client: RedisClient, keys: Keys, id: string, tenant: string | undefined): Promise<string> {
  const [sequence, owner] = await client.hmget(keys.job(id), 'sequence', 'tenant');
  if (sequence && (tenant === undefined || owner === tenant)) return sequence;
  throw new HeadstoneError('invalid_request', `after is not the id of a job on record: ${id}.`, { param: 'after' });
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

interface Listed {
  id: string;
  sequence: number;
}

/** The next jobs of several indexes. They are read in one step, because a job moves from one index to another. */
async function readPage(client: RedisClient, indexes: string[], most: string): Promise<Listed[]> {
  const reading = client.multi();
  for (const index of indexes) reading.zrevrangebyscore(index, most, '-inf', 'WITHSCORES', 'LIMIT', 0, PAGE);
  const answers = (await reading.exec()) ?? [];
  const listed = answers.flatMap(([error, answer]) => {
    if (error) throw error;
    // Ids and scores alternate.
    const flat = answer as string[];
    return flat.flatMap((id, n) => (n % 2 === 0 ? [{ id, sequence: Number(flat[n + 1]) }] : []));
  });
  return listed.sort((left, right) => right.sequence - left.sequence).slice(0, PAGE);
}

async function readRecords(client: RedisClient, keys: Keys, page: Listed[]): Promise<JobRecord[]> {
  const hashes = await Promise.all(page.map(({ id }) => client.hgetall(keys.job(id))));
  return page.flatMap(({ id }, position) => parseRecord(id, hashes[position] ?? {}) ?? []);
}

function matches(record: JobRecord, filter: ListFilter): boolean {
  return (
    (filter.status === undefined || record.status === filter.status) &&
    (filter.tenant === undefined || record.tenant === filter.tenant) &&
    (filter.tag === undefined || record.tags.includes(filter.tag))
  );
}
