import { type JobSummary, jobFilterSchema } from '../contract/job.ts';
import type { JobsView, ListedJob, ViewQuery } from '../contract/view.ts';
import { jobStatusSchema } from '../contract/words.ts';
import { matches } from './job-filter.ts';
import type { Lane } from './lane.ts';
import { placeOf } from './list.ts';
import { type JobRecord, parseRecord, responseIdsOf, summaryOf } from './record.ts';
import { walkJobs } from './walk.ts';

const PAGE = 50;

/** The most records that one view looks at, so that it is as fast at a million records (docs/decisions/0029). */
const MOST_LOOKED = 2000;

/** Of how many of the newest matches the longest or the dearest are shown. */
const MOST_SORTED = 1000;

/** Two indexes are compared only while the smaller one has at most this many jobs. */
const MOST_COMPARED = 10_000;

/** How many jobs are found by the beginning of their id. */
const MOST_BY_ID = 20;

interface Found {
  record: JobRecord;
  lane: Lane;
  sequence: number;
}

/** A page of jobs for people. It reads a bounded number of keys, however many jobs there are. */
export async function viewJobs(lanes: Lane[], candidates: Lane[], query: ViewQuery): Promise<JobsView> {
  const { sort, after, ...rest } = query;
  const filter = jobFilterSchema.parse(rest);
  const isSorted = sort === 'longest' || sort === 'dearest';
  const order = sort === 'oldest' ? 'oldest' : 'newest';
  const most = isSorted ? MOST_SORTED : PAGE;
  const place = await placeOf(candidates, after, filter.tenant);
  const byId = filter.search !== undefined && !place ? await findById(lanes, filter.search) : [];
  const found: Found[] = byId.filter(({ record }) => matches(record, filter));
  const known = new Set(found.map(({ record }) => record.id));
  let looked = byId.length;
  let next: string | null = null;
  for await (const { record, lane, sequence } of walkJobs(lanes, { filter, order, after: place })) {
    looked += 1;
    if (matches(record, filter) && !known.has(record.id)) found.push({ record, lane: laneOf(lanes, lane), sequence });
    next = record.id;
    if (found.length >= most || looked >= MOST_LOOKED) break;
    next = null;
  }
  const jobs = await Promise.all(found.map(describe));
  return {
    jobs: isSorted ? jobs.sort((left, right) => measure(right, sort) - measure(left, sort)).slice(0, PAGE) : jobs,
    next: isSorted ? null : next,
    looked,
    counts: await countsOf(lanes, query),
  };
}

function laneOf(lanes: Lane[], number: number): Lane {
  return lanes.find(lane => lane.number === number) as Lane;
}

/** The jobs whose id begins with a text, whether Headstone or a caller chose it. */
async function findById(lanes: Lane[], search: string): Promise<Found[]> {
  const found = await Promise.all(
    lanes.map(async lane => {
      const { keys } = lane;
      const range = [`[${search.trim()}`, `[${search.trim()}\xff`] as const;
      const listed = await lane.ask(client => client.zrangebylex(keys.ids(), ...range, 'LIMIT', 0, MOST_BY_ID));
      const ids = listed.map(entry => entry.split('|').at(-1) ?? '');
      const hashes = await lane.ask(client => Promise.all(ids.map(id => client.hgetall(keys.job(id)))));
      return hashes.flatMap((hash, position) => {
        const record = parseRecord(ids[position] ?? '', hash);
        return record ? [{ record, lane, sequence: Number(hash.sequence) }] : [];
      });
    }),
  );
  return found.flat().sort((left, right) => right.sequence - left.sequence);
}

/** A job with what is known of its responses' cost. */
async function describe({ record, lane }: Found): Promise<ListedJob> {
  const rows = await Promise.all(responseIdsOf(record).map(id => lane.row(id)));
  const known = rows.filter(row => row?.job_id === record.id && row.usage !== null);
  const costs = known.map(row => row?.cost_usd_micros ?? null);
  return {
    ...summaryOf(record),
    error_code: record.status === 'failed' ? (record.code ?? 'server_error') : null,
    total_tokens: known.length === 0 ? null : sum(known.map(row => row?.usage?.total_tokens ?? 0)),
    cost_usd_micros: costs.every(cost => cost === null) ? null : sum(costs.map(cost => cost ?? 0)),
  };
}

function measure(job: ListedJob, sort: 'longest' | 'dearest' | string): number {
  return sort === 'dearest' ? (job.cost_usd_micros ?? -1) : durationOf(job);
}

/** How long a job has taken until its end; one that has not ended is as long as it is old. */
function durationOf({ created_at, decided_at }: JobSummary): number {
  return (decided_at ?? Date.now()) - created_at;
}

/** How many jobs of each status a view could show; null if the filter has more than an index can tell, or too much to compare. */
async function countsOf(lanes: Lane[], query: ViewQuery): Promise<JobsView['counts']> {
  const { status, sort, after, tenant, tag, ...others } = query;
  if (Object.values(others).some(value => value !== undefined) || (tenant !== undefined && tag !== undefined))
    return null;
  const counts = await Promise.all(lanes.map(lane => countsIn(lane, { tenant, tag })));
  if (counts.some(count => count === null)) return null;
  return Object.fromEntries(
    jobStatusSchema.options.map((name, position) => [name, sum(counts.map(count => count?.[position] ?? 0))]),
  ) as JobsView['counts'];
}

async function countsIn(lane: Lane, { tenant, tag }: { tenant?: string; tag?: string }): Promise<number[] | null> {
  const { keys } = lane;
  const index = tenant === undefined ? tag && keys.tag(tag) : keys.tenant(tenant);
  return await lane.ask(async client => {
    const sizes = await Promise.all(keys.statuses().map(status => client.zcard(status)));
    if (!index) return sizes;
    const size = await client.zcard(index);
    if (sizes.some(one => Math.min(one, size) > MOST_COMPARED)) return null;
    return await Promise.all(keys.statuses().map(status => client.zintercard(2, index, status)));
  });
}

function sum(numbers: number[]): number {
  return numbers.reduce((left, right) => left + right, 0);
}
