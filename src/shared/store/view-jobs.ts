import { jobFilterSchema } from '../contract/job.ts';
import type { JobsView, ListedJob, Sort, ViewQuery } from '../contract/view.ts';
import { jobStatusSchema } from '../contract/words.ts';
import { spentOn } from '../runtime/spent.ts';
import { matcherOf } from './job-filter.ts';
import type { Lane } from './lane.ts';
import { DRAWN_ID } from './lanes/plan.ts';
import { placeOf } from './list.ts';
import { type JobRecord, parseRecord, responseIdsOf, summaryOf } from './record.ts';
import { type Place, walkJobs } from './walk.ts';

const PAGE = 50;

/** The most records that one view looks at, so that it is as fast at a million records (docs/decisions/0029). */
const MOST_LOOKED = 2000;

/** Of how many of the newest matches the longest or the dearest are shown. */
const MOST_SORTED = 1000;

/** Two indexes are compared only while the smaller one has at most this many jobs. */
const MOST_COMPARED = 10_000;

/** An id's beginning that more jobs have than this narrows nothing, and the newest of them are met on the way. */
const MOST_BY_ID = 500;

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
  const place = placeIn(after) ?? (await placeOf(candidates, after, filter.tenant));
  const matches = matcherOf(filter);
  const isSeen = ({ tenant }: JobRecord) => filter.tenant === undefined || tenant === filter.tenant;
  const byId =
    filter.search === undefined ? [] : (await findById(lanes, filter.search.trim())).filter(one => isSeen(one.record));
  // They stand on the first page, wherever the walk meets them.
  const first = byId.filter(({ record }) => matches(record)).slice(0, PAGE);
  const known = new Set(first.map(({ record }) => record.id));
  const found: Found[] = place ? [] : first;
  // An index may have other tenants' jobs too. How many, and which, is not for this one to know (I12).
  let seen = byId.length;
  let looked = byId.length;
  let next: string | null = null;
  for await (const { record, lane, sequence } of walkJobs(lanes, { filter, order, after: place })) {
    looked += 1;
    if (isSeen(record)) seen += 1;
    if (matches(record) && !known.has(record.id)) found.push({ record, lane: laneOf(lanes, lane), sequence });
    next = `${sequence}.${lane}`;
    if (found.length >= most || looked >= MOST_LOOKED) break;
    next = null;
  }
  const jobs = await Promise.all(found.map(describe));
  const now = lanes[0]?.now() ?? Date.now();
  return {
    jobs: isSorted
      ? jobs.sort((left, right) => measure(right, sort, now) - measure(left, sort, now)).slice(0, PAGE)
      : jobs,
    next: isSorted ? null : next,
    looked: seen,
    counts: await countsOf(lanes, query),
  };
}

/** The place at which the page before stopped looking; undefined for anything else. */
function placeIn(after: string | undefined): Place | undefined {
  const [, sequence, lane] = /^(\d{1,16})\.(\d{1,2})$/.exec(after ?? '') ?? [];
  return sequence === undefined ? undefined : { sequence: Number(sequence), lane: Number(lane) };
}

function laneOf(lanes: Lane[], number: number): Lane {
  return lanes.find(lane => lane.number === number) as Lane;
}

/** The jobs whose id begins with a text, the newest first, whether Headstone or a caller chose it; none if there are too many. */
async function findById(lanes: Lane[], beginning: string): Promise<Found[]> {
  const range = [`[${beginning}`, `[${beginning}\xff`] as const;
  const digits = digitsAfter(beginning);
  const perLane = await Promise.all(
    lanes.map(async lane => {
      const indexes = [lane.keys.ids(), ...digits.map(three => lane.keys.ids(three))];
      const listed = await lane.ask(client =>
        Promise.all(indexes.map(index => client.zrangebylex(index, ...range, 'LIMIT', 0, MOST_BY_ID + 1))),
      );
      return listed.flat();
    }),
  );
  if (sum(perLane.map(({ length }) => length)) > MOST_BY_ID) return [];
  const found = await Promise.all(
    lanes.map(async (lane, position) => {
      const { keys } = lane;
      const ids = (perLane[position] ?? []).map(entry => entry.split('|').at(-1) ?? '');
      const hashes = await lane.ask(client => Promise.all(ids.map(id => client.hgetall(keys.job(id)))));
      return hashes.flatMap((hash, position) => {
        const record = parseRecord(ids[position] ?? '', hash);
        return record ? [{ record, lane, sequence: Number(hash.sequence) }] : [];
      });
    }),
  );
  return found.flat().sort((left, right) => right.sequence - left.sequence);
}

/**
 * The indexes in which ids may be that Headstone drew and that begin like this, each by its three digits. With fewer than one
 * digit, a beginning narrows nothing.
 */
function digitsAfter(beginning: string): string[] {
  const [, known] =
    /^([0-9a-f]{1,3})/.exec(beginning.startsWith(DRAWN_ID) ? beginning.slice(DRAWN_ID.length) : '') ?? [];
  if (known === undefined) return [];
  const free = 3 - known.length;
  return Array.from({ length: 16 ** free }, (_, n) => known + (free === 0 ? '' : n.toString(16).padStart(free, '0')));
}

/** A job with what is known of its responses' cost. */
async function describe({ record, lane }: Found): Promise<ListedJob> {
  const rows = await Promise.all(responseIdsOf(record).map(id => lane.row(id)));
  return {
    ...summaryOf(record),
    ...spentOn(rows.flatMap(row => (row?.job_id === record.id ? row : []))),
    error_code: record.status === 'failed' ? (record.code ?? 'server_error') : null,
  };
}

/** By what jobs are sorted. One that has not ended is as long as it is old. */
function measure(job: ListedJob, sort: Sort, now: number): number {
  return sort === 'dearest' ? (job.cost_usd_micros ?? -1) : (job.decided_at ?? now) - job.created_at;
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
