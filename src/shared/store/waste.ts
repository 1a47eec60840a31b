import { HeadstoneError } from '../contract/errors.ts';
import {
  lateBoundsMs,
  type WasteDimension,
  type WasteQuery,
  type WasteReport,
  type WasteSum,
} from '../contract/ledger.ts';
import type { Lane } from './lane.ts';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;
const MOST_DAYS = 760;

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** The UTC days from `since` to `until`, both included. The default is the last 30 days. */
export function daysOf({ since, until }: WasteQuery, now: number): string[] {
  const last = Date.parse(until ?? dayOf(now));
  const first = since === undefined ? last - (DEFAULT_DAYS - 1) * DAY_MS : Date.parse(since);
  if (first > last)
    throw new HeadstoneError('invalid_request', 'since is later than until, so no day is between them.', {
      param: 'since',
    });
  if ((last - first) / DAY_MS >= MOST_DAYS)
    throw new HeadstoneError(
      'invalid_request',
      `A report covers at most ${MOST_DAYS} days. Ask for a shorter period.`,
      {
        param: 'since',
      },
    );
  const days: string[] = [];
  for (let day = first; day <= last; day += DAY_MS) days.push(dayOf(day));
  return days;
}

/** Adds up the sums of days by one dimension, over all lanes. */
export async function readWaste(lanes: Lane[], days: string[], query: WasteQuery): Promise<WasteReport> {
  const [report] = await readReports(lanes, days, query.tenant, [query.groupBy ?? 'model']);
  return report;
}

/** One report for each dimension. The sums are read once for all of them. Each field of their hashes is `[dimension, value]`. */
export async function readReports<const Dimensions extends readonly WasteDimension[]>(
  lanes: Lane[],
  days: string[],
  tenant: string | undefined,
  dimensions: Dimensions,
): Promise<{ [Position in keyof Dimensions]: WasteReport }> {
  const reports = dimensions.map(dimension => new Report(dimension));
  await Promise.all(lanes.map(lane => addSums(reports, lane, days, tenant)));
  return reports.map(report => report.finished()) as { [Position in keyof Dimensions]: WasteReport };
}

async function addSums(reports: Report[], lane: Lane, days: string[], wanted: string | undefined): Promise<void> {
  const { keys } = lane;
  for (const day of days) {
    const tenants = wanted === undefined ? await lane.ask(client => client.smembers(keys.sumsTenants(day))) : [wanted];
    // One at a time, because a day of a busy tenant is large and others have to be answered meanwhile.
    for (const tenant of tenants) {
      const sums = await lane.ask(client => client.hgetall(keys.sums(day, tenant)));
      for (const report of reports) report.add(day, tenant, sums);
    }
  }
}

class Report {
  private readonly groupBy: WasteDimension;
  private readonly totals = emptySum('total');
  private readonly groups = new Map<string, WasteSum>();
  private readonly late = new Map(lateBuckets().map(bucket => [lateMeasure(bucket.under_ms), bucket]));

  constructor(groupBy: WasteDimension) {
    this.groupBy = groupBy;
  }

  add(day: string, tenant: string, sums: Record<string, string>): void {
    for (const [field, text] of Object.entries(sums)) {
      const [dimension, value, measure] = JSON.parse(field) as [string, string, string?];
      // The version before wrote one field for each measure.
      const amounts = measure === undefined ? measuresIn(text) : [[measure, Number(text)] as const];
      for (const [name, amount] of amounts) this.addOne({ dimension, value, name, amount, day, tenant });
    }
  }

  private addOne({ dimension, value, name, amount, day, tenant }: Amount): void {
    if (dimension === 'all') {
      add(this.totals, name as keyof WasteSum, amount);
      const bucket = this.late.get(name);
      if (bucket) bucket.responses += amount;
    }
    if (dimension !== storedDimension(this.groupBy)) return;
    const key = this.groupBy === 'tenant' ? tenant : this.groupBy === 'day' ? day : value;
    const group = this.groups.get(key) ?? emptySum(key);
    this.groups.set(key, group);
    add(group, name as keyof WasteSum, amount);
  }

  finished(): WasteReport {
    const order = (left: WasteSum, right: WasteSum) =>
      this.groupBy === 'day' ? (left.key < right.key ? -1 : 1) : right.total_tokens - left.total_tokens;
    return { data: [...this.groups.values()].sort(order), totals: this.totals, late: [...this.late.values()] };
  }
}

interface Amount {
  dimension: string;
  value: string;
  /** The measure. */
  name: string;
  amount: number;
  day: string;
  tenant: string;
}

/** The measures of a sum: `used_responses=3 used_total_tokens=480`. */
function measuresIn(text: string): (readonly [string, number])[] {
  if (text === '') return [];
  return text.split(' ').map(word => {
    const [name = '', amount] = word.split('=');
    return [name, Number(amount)] as const;
  });
}

/** Tenants and days have separate hashes, so their sums are those of `all`. */
function storedDimension(groupBy: WasteDimension): string {
  return groupBy === 'tenant' || groupBy === 'day' ? 'all' : groupBy;
}

function lateBuckets() {
  return [...lateBoundsMs, null].map(under_ms => ({ under_ms, responses: 0 }));
}

/** The name of a bucket in the sums. */
function lateMeasure(underMs: number | null): string {
  return `late_${underMs ?? 'more'}`;
}

export function emptySum(key: string): WasteSum {
  return {
    key,
    responses: 0,
    input_tokens: 0,
    output_tokens: 0,
    total_tokens: 0,
    cost_usd_micros: 0,
    pending: 0,
    unknown: 0,
    unpriced: 0,
    most_tokens: 0,
    most_cost_usd_micros: 0,
    unbounded: 0,
    likely_tokens: 0,
    likely_cost_usd_micros: 0,
    unestimated: 0,
    used_responses: 0,
    used_total_tokens: 0,
    used_cost_usd_micros: 0,
    used_pending: 0,
    used_unknown: 0,
    used_unpriced: 0,
  };
}

function add(sum: WasteSum, measure: keyof WasteSum, amount: number): void {
  const before = sum[measure];
  // The store has measures that a report does not show, like used_input_tokens.
  if (typeof before === 'number') (sum[measure] as number) = before + amount;
}
