import { boundsOf } from '../contract/days.ts';
import type { JobFilter } from '../contract/job.ts';
import type { Keys } from './keys.ts';
import { type JobRecord, summaryOf } from './record.ts';

/** The indexes of which each alone has every job that matches; without a filter, those that have all jobs together. */
export function indexesOf(keys: Keys, filter: JobFilter): string[][] {
  const named = [
    ...(filter.status === undefined ? [] : [[keys.status(filter.status)]]),
    ...(filter.tenant === undefined ? [] : [[keys.tenant(filter.tenant)]]),
    ...(filter.cancellation === undefined ? [] : [[keys.cancelled(filter.cancellation)]]),
    ...(filter.tag === undefined ? [] : [[keys.tag(filter.tag)]]),
  ];
  return named.length > 0 ? named : [keys.statuses()];
}

export function matches(record: JobRecord, filter: JobFilter): boolean {
  const { from, to } = boundsOf(filter);
  return (
    (filter.status === undefined || record.status === filter.status) &&
    (filter.tenant === undefined || record.tenant === filter.tenant) &&
    (filter.tag === undefined || record.tags.includes(filter.tag)) &&
    (filter.model === undefined || record.model === filter.model) &&
    (filter.cancellation === undefined || record.cancellation === filter.cancellation) &&
    record.created_at >= from &&
    record.created_at <= to &&
    (filter.search === undefined || isFound(record, filter.search))
  );
}

/** True if a person who searches for this text may mean this job. */
function isFound(record: JobRecord, search: string): boolean {
  const { id, chosen_id, response_id, preview } = summaryOf(record);
  const wanted = search.trim();
  return (
    [id, chosen_id, response_id].some(one => one?.startsWith(wanted)) ||
    [record.model, record.tenant, ...record.tags].includes(wanted) ||
    (preview?.toLowerCase().includes(wanted.toLowerCase()) ?? false)
  );
}
