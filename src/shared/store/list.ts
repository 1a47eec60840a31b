import { HeadstoneError } from '../contract/errors.ts';
import type { JobSummary, ListFilter } from '../contract/job.ts';
import type { RedisClient } from './connection/client.ts';
import type { Keys } from './keys.ts';
import { type JobRecord, parseRecord, summaryOf } from './record.ts';

const PAGE = 200;
const DEFAULT_LIMIT = 50;

/** The jobs that match a filter, the newest first. It reads the smallest index that the filter names and checks the records. */
export async function listJobs(client: RedisClient, keys: Keys, filter: ListFilter): Promise<JobSummary[]> {
  const index = await smallestIndex(client, indexes(keys, filter));
  const limit = filter.limit ?? DEFAULT_LIMIT;
  const found: JobSummary[] = [];
  let most: string = '+inf';
  if (filter.after !== undefined) {
    const sequence = await client.zscore(
      filter.tenant === undefined ? keys.jobs() : keys.tenant(filter.tenant),
      filter.after,
    );
    if (sequence === null)
      throw new HeadstoneError('invalid_request', `after is not the id of a job on record: ${filter.after}.`, {
        param: 'after',
      });
    most = `(${sequence}`;
  }
  while (found.length < limit) {
    const page = await client.zrevrangebyscore(index, most, '-inf', 'WITHSCORES', 'LIMIT', 0, PAGE);
    if (page.length === 0) break;
    most = `(${page.at(-1)}`;
    for (const record of await readRecords(client, keys, page))
      if (matches(record, filter) && found.length < limit) found.push(summaryOf(record));
  }
  return found;
}

function indexes(keys: Keys, filter: ListFilter): string[] {
  const named = [
    ...(filter.status === undefined ? [] : [keys.status(filter.status)]),
    ...(filter.tenant === undefined ? [] : [keys.tenant(filter.tenant)]),
    ...(filter.tag === undefined ? [] : [keys.tag(filter.tag)]),
  ];
  return named.length > 0 ? named : [keys.jobs()];
}

async function smallestIndex(client: RedisClient, candidates: string[]): Promise<string> {
  const sizes = await Promise.all(candidates.map(candidate => client.zcard(candidate)));
  const smallest = sizes.indexOf(Math.min(...sizes));
  return candidates[smallest] as string;
}

/** `page` alternates ids and scores, as WITHSCORES returns them. */
async function readRecords(client: RedisClient, keys: Keys, page: string[]): Promise<JobRecord[]> {
  const ids = page.filter((_, position) => position % 2 === 0);
  const hashes = await Promise.all(ids.map(id => client.hgetall(keys.job(id))));
  return hashes.flatMap(hash => parseRecord(hash) ?? []);
}

function matches(record: JobRecord, filter: ListFilter): boolean {
  return (
    (filter.status === undefined || record.status === filter.status) &&
    (filter.tenant === undefined || record.tenant === filter.tenant) &&
    (filter.tag === undefined || record.tags.includes(filter.tag))
  );
}
