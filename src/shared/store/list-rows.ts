import type { LedgerQuery, LedgerRow } from '../contract/ledger.ts';
import type { Keys } from './keys.ts';
import { parseRow } from './record.ts';
import type { RedisClient } from './redis-client.ts';

const PAGE = 500;

/** The oldest first. Rows that were opened in the same millisecond stand in the order of their ids. */
export async function listRows(client: RedisClient, keys: Keys, query: LedgerQuery): Promise<LedgerRow[]> {
  const limit = query.limit ?? Number.POSITIVE_INFINITY;
  const until = query.untilMs ?? '+inf';
  const index = keys.rows(query.tenant);
  const found: LedgerRow[] = [];
  const start = await startOf(client, index, query);
  if (start === null) return [];
  let offset = start.offset;
  while (found.length < limit) {
    const ids = await client.zrangebyscore(index, start.since, until, 'LIMIT', offset, PAGE);
    if (ids.length === 0) break;
    offset += ids.length;
    const hashes = await Promise.all(ids.map(id => client.hgetall(keys.row(id))));
    for (const row of hashes.map(parseRow)) if (row && found.length < limit) found.push(row);
  }
  return found;
}

/** Where the page begins; null where the row to go on from is not known. */
async function startOf(
  client: RedisClient,
  index: string,
  { after, sinceMs }: LedgerQuery,
): Promise<{ since: number; offset: number } | null> {
  const since = sinceMs ?? 0;
  if (after === undefined) return { since, offset: 0 };
  const at = await client.zscore(index, after);
  if (at === null) return null;
  // Of the same millisecond, those up to the one named are behind us.
  const sameTime = await client.zrangebyscore(index, at, at);
  return Number(at) < since ? { since, offset: 0 } : { since: Number(at), offset: sameTime.indexOf(after) + 1 };
}
