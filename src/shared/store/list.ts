import { HeadstoneError } from '../contract/errors.ts';
import type { JobSummary, ListFilter } from '../contract/job.ts';
import { matcherOf } from './job-filter.ts';
import type { Lane } from './lane.ts';
import { summaryOf } from './record.ts';
import { type Place, walkJobs } from './walk.ts';

const DEFAULT_LIMIT = 50;

/** The jobs that match a filter, the newest first. `candidates`: the lanes in which the job of `filter.after` may be. */
export async function listJobs(lanes: Lane[], candidates: Lane[], filter: ListFilter): Promise<JobSummary[]> {
  const limit = filter.limit ?? DEFAULT_LIMIT;
  const after = await placeOf(candidates, filter.after, filter.tenant);
  const matches = matcherOf(filter);
  const found: JobSummary[] = [];
  if (limit === 0) return found;
  for await (const { record } of walkJobs(lanes, { filter, order: 'newest', after })) {
    if (matches(record)) found.push(summaryOf(record));
    if (found.length === limit) break;
  }
  return found;
}

/** The place of the job after which a page begins. Throws `invalid_request` if it is not on record. */
export async function placeOf(
  candidates: Lane[],
  id: string | undefined,
  tenant: string | undefined,
): Promise<Place | undefined> {
  if (id === undefined) return undefined;
  for (const lane of candidates) {
    const [sequence, owner] = await lane.ask(client => client.hmget(lane.keys.job(id), 'sequence', 'tenant'));
    const isSeen = tenant === undefined || owner === tenant;
    if (sequence && isSeen) return { sequence: Number(sequence), lane: lane.number };
  }
  throw new HeadstoneError('invalid_request', `after is not the id of a job on record: ${id}.`, { param: 'after' });
}
