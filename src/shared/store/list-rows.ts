import type { LedgerQuery, LedgerRow } from '../contract/ledger.ts';
import type { Lane } from './lane.ts';
import { merge } from './merge.ts';
import { walkRows } from './walk-rows.ts';

const PAGE = 500;
const LEAST_PAGE = 50;
const DAY_MS = 86_400_000;

/** The rows of a query, the oldest first. Rows that were opened in the same millisecond are in the order of their ids. */
export async function listRows(lanes: Lane[], query: LedgerQuery): Promise<LedgerRow[]> {
  const limit = query.limit ?? Number.POSITIVE_INFINITY;
  const since = await beginning(lanes, query);
  const found: LedgerRow[] = [];
  if (since === null || limit === 0) return found;
  const { after, until, tenant } = query;
  const to = until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until) + DAY_MS - 1;
  const page = Math.max(LEAST_PAGE, Math.ceil(PAGE / lanes.length));
  for await (const row of merge(
    lanes.map(lane => walkRows(lane, { tenant, from: since, to, order: 'oldest', page })),
    (left, right) => left.at - right.at || (left.response_id < right.response_id ? -1 : 1),
  )) {
    // Rows of that millisecond up to the one to continue after were on an earlier page.
    if (after !== undefined && row.at === since && row.response_id <= after) continue;
    found.push(row);
    if (found.length === limit) break;
  }
  return found;
}

/** The time at which the page begins; null if the row to continue after is not known. */
async function beginning(lanes: Lane[], { after, since, tenant }: LedgerQuery): Promise<number | null> {
  const first = since === undefined ? 0 : Date.parse(since);
  if (after === undefined) return first;
  const times = await Promise.all(lanes.map(lane => lane.ask(client => client.zscore(lane.keys.rows(tenant), after))));
  const at = times.find(time => time !== null);
  return at === undefined ? null : Math.max(first, Number(at));
}
