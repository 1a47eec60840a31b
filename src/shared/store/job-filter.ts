import { boundsOf } from '../contract/days.ts';
import type { JobFilter } from '../contract/job.ts';
import type { Keys } from './keys.ts';
import { type JobRecord, previewOf } from './record.ts';

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

/** Says of a record whether it matches. What does not depend on the record is worked out once. */
export function matcherOf(filter: JobFilter): (record: JobRecord) => boolean {
  const { from, to } = boundsOf(filter);
  const search = filter.search?.trim();
  return record =>
    (filter.status === undefined || record.status === filter.status) &&
    (filter.tenant === undefined || record.tenant === filter.tenant) &&
    (filter.tag === undefined || record.tags.includes(filter.tag)) &&
    (filter.model === undefined || record.model === filter.model) &&
    (filter.cancellation === undefined || record.cancellation === filter.cancellation) &&
    record.created_at >= from &&
    record.created_at <= to &&
    (search === undefined || isFound(record, search));
}

/** True if a person who searches for this text may mean this job. */
function isFound(record: JobRecord, search: string): boolean {
  const { id, chosen_id, response_id, model, tenant, tags } = record;
  return (
    [id, chosen_id, response_id].some(one => one?.startsWith(search)) ||
    [model, tenant, ...tags].includes(search) ||
    (previewOf(record)?.toLowerCase().includes(search.toLowerCase()) ?? false)
  );
}
