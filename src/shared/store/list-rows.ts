import type { LedgerQuery, LedgerRow } from '../contract/ledger.ts';
import type { RedisClient } from './connection/client.ts';
import type { Keys } from './keys.ts';
import { parseRow } from './record.ts';

const PAGE = 500;
const DAY_MS = 86_400_000;

/** The rows of a query, the oldest first. Rows that were opened in the same millisecond are in the order of their ids. */
export async function listRows(client: RedisClient, keys: Keys, query: LedgerQuery): Promise<LedgerRow[]> {
  const limit = query.limit ?? Number.POSITIVE_INFINITY;
  const until = query.until === undefined ? '+inf' : Date.parse(query.until) + DAY_MS - 1;
  const index = keys.rows(query.tenant);
  const found: LedgerRow[] = [];
  const start = await startingPoint(client, index, query);
  if (start === null) return [];
  let offset = start.offset;
  while (found.length < limit) {
    const ids = await client.zrangebyscore(index, start.since, until, 'LIMIT', offset, PAGE);
    if (ids.length === 0) break;
    offset += ids.length;
    const hashes = await Promise.all(ids.map(id => client.hgetall(keys.row(id))));
    const rows = hashes.flatMap(hash => parseRow(hash) ?? []);
    found.push(...rows.slice(0, limit - found.length));
  }
  return found;
}

/** Where the page begins; null if the row to continue after is not known. */
async function startingPoint(
  client: RedisClient,
  index: string,
  { after, since: firstDay }: LedgerQuery,
): Promise<{ since: number; offset: number } | null> {
  const since = firstDay === undefined ? 0 : Date.parse(firstDay);
  if (after === undefined) return { since, offset: 0 };
  const at = await client.zscore(index, after);
  if (at === null) return null;
  // Rows of the same millisecond up to that one were on an earlier page.
  const sameTime = await client.zrangebyscore(index, at, at);
  return Number(at) < since ? { since, offset: 0 } : { since: Number(at), offset: sameTime.indexOf(after) + 1 };
}
