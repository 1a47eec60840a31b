import { HeadstoneError } from '../contract/errors.ts';
import {
  lateBoundsMs,
  type WasteDimension,
  type WasteQuery,
  type WasteReport,
  type WasteSum,
} from '../contract/ledger.ts';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;
const MOST_DAYS = 760;

export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** UTC days from `since` to `until`, both included; the last 30 where nothing was asked. */
export function daysOf({ since, until }: WasteQuery, now: number): string[] {
  const last = Date.parse(until ?? dayOf(now));
  const first = since === undefined ? last - (DEFAULT_DAYS - 1) * DAY_MS : Date.parse(since);
  if ((last - first) / DAY_MS >= MOST_DAYS)
    throw new HeadstoneError('invalid_request', `The sums are kept for ${MOST_DAYS} days: ask for a shorter time.`, {
      param: 'since',
    });
  const days: string[] = [];
  for (let day = first; day <= last; day += DAY_MS) days.push(dayOf(day));
  return days;
}

/** Adds up the days' sums under the keys of one dimension. Each hash field is `[tenant, dimension, value, measure]`. */
export function wasteReport(days: { day: string; sums: Record<string, string> }[], query: WasteQuery): WasteReport {
  const groupBy = query.groupBy ?? 'model';
  const totals = emptySum('total');
  const groups = new Map<string, WasteSum>();
  const late = new Map(lateBuckets().map(bucket => [lateMeasure(bucket.under_ms), bucket]));
  for (const { day, sums } of days) {
    for (const [field, text] of Object.entries(sums)) {
      const [tenant, dimension, value, measure] = JSON.parse(field) as [string, string, string, string];
      if (query.tenant !== undefined && tenant !== query.tenant) continue;
      if (dimension === 'all') {
        add(totals, measure as keyof WasteSum, Number(text));
        const bucket = late.get(measure);
        if (bucket) bucket.responses += Number(text);
      }
      if (dimension !== storedDimension(groupBy)) continue;
      const key = groupBy === 'tenant' ? tenant : groupBy === 'day' ? day : value;
      const group = groups.get(key) ?? emptySum(key);
      groups.set(key, group);
      add(group, measure as keyof WasteSum, Number(text));
    }
  }
  const order = (left: WasteSum, right: WasteSum) =>
    groupBy === 'day' ? (left.key < right.key ? -1 : 1) : right.total_tokens - left.total_tokens;
  return { data: [...groups.values()].sort(order), totals, late: [...late.values()] };
}

/** Tenants and days stand in every field, so their sums are those of `all`. */
function storedDimension(groupBy: WasteDimension): string {
  return groupBy === 'tenant' || groupBy === 'day' ? 'all' : groupBy;
}

function lateBuckets() {
  return [...lateBoundsMs, null].map(under_ms => ({ under_ms, responses: 0 }));
}

/** As the ledger's script names it. */
function lateMeasure(underMs: number | null): string {
  return `late_${underMs ?? 'more'}`;
}

function emptySum(key: string): WasteSum {
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
    used_responses: 0,
    used_total_tokens: 0,
    used_cost_usd_micros: 0,
  };
}

function add(sum: WasteSum, measure: keyof WasteSum, amount: number): void {
  const before = sum[measure];
  // Measures that a report does not show, like used_input_tokens, stay in the store.
  if (typeof before === 'number') (sum[measure] as number) = before + amount;
}
