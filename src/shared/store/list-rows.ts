import type { LedgerQuery, LedgerRow } from '../contract/ledger.ts';
import type { Lane } from './lane.ts';
import { merge } from './merge.ts';
import { parseRow } from './record.ts';

const PAGE = 500;
const LEAST_PAGE = 50;
const DAY_MS = 86_400_000;

/** The rows of a query, the oldest first. Rows that were opened in the same millisecond are in the order of their ids. */
export async function listRows(lanes: Lane[], query: LedgerQuery): Promise<LedgerRow[]> {
  const limit = query.limit ?? Number.POSITIVE_INFINITY;
  const since = await beginning(lanes, query);
  const found: LedgerRow[] = [];
  if (since === null || limit === 0) return found;
  const page = Math.max(LEAST_PAGE, Math.ceil(PAGE / lanes.length));
  for await (const row of merge(
    lanes.map(lane => rowsOf(lane, query, since, page)),
    (left, right) => left.at - right.at || (left.response_id < right.response_id ? -1 : 1),
  )) {
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

/** The rows of one lane, page by page. */
async function* rowsOf(
  lane: Lane,
  { after, until: lastDay, tenant }: LedgerQuery,
  since: number,
  page: number,
): AsyncGenerator<LedgerRow, void> {
  const until = lastDay === undefined ? '+inf' : Date.parse(lastDay) + DAY_MS - 1;
  for (let offset = 0; ; offset += page) {
    const ids = await lane.ask(client =>
      client.zrangebyscore(lane.keys.rows(tenant), since, until, 'LIMIT', offset, page),
    );
    if (ids.length === 0) return;
    const hashes = await lane.ask(client => Promise.all(ids.map(id => client.hgetall(lane.keys.row(id)))));
    for (const hash of hashes) {
      const row = parseRow(hash);
      // Rows of that millisecond up to the one to continue after were on an earlier page.
      if (row && !(after !== undefined && row.at === since && row.response_id <= after)) yield row;
    }
  }
}
