import { boundsOf } from '../contract/days.ts';
import { HeadstoneError } from '../contract/errors.ts';
import type { LedgerRow } from '../contract/ledger.ts';
import type { WasteRows, WasteRowsQuery } from '../contract/waste-rows.ts';
import type { Lane } from './lane.ts';
import { merge } from './merge.ts';
import { walkRows } from './walk-rows.ts';

const PAGE = 50;
const READ_AT_ONCE = 200;

/** The most rows that one view looks at, so that it is as fast with a million rows. */
const MOST_LOOKED = 2000;

/** The rows behind a sum, the newest first. It reads a bounded number of keys. */
export async function viewRows(lanes: Lane[], query: WasteRowsQuery): Promise<WasteRows> {
  const begin = query.after === undefined ? undefined : await placeOf(lanes, query.after, query.tenant);
  const rows: LedgerRow[] = [];
  let looked = 0;
  let next: string | null = null;
  const { from, to } = boundsOf(query);
  const walk = {
    tenant: query.tenant,
    from,
    to: Math.min(to, begin?.at ?? to),
    order: 'newest',
    page: READ_AT_ONCE,
  } as const;
  const all = merge(
    lanes.map(lane => walkRows(lane, walk)),
    (left, right) => (isBehind(left, right) ? 1 : -1),
  );
  for await (const row of all) {
    if (begin && !isBehind(row, begin)) continue;
    looked += 1;
    if (matches(row, query)) rows.push(row);
    next = row.response_id;
    if (rows.length >= PAGE || looked >= MOST_LOOKED) break;
    next = null;
  }
  return { rows, next, looked };
}

type Place = Pick<LedgerRow, 'at' | 'response_id'>;

/** True if the first comes later in the list: it is older, or of one millisecond and before by its letters. */
function isBehind(left: Place, right: Place): boolean {
  return left.at < right.at || (left.at === right.at && left.response_id < right.response_id);
}

/** The place of the row after which a page begins. Throws `invalid_request` if it is not in the ledger. */
async function placeOf(lanes: Lane[], id: string, tenant: string | undefined): Promise<Place> {
  const times = await Promise.all(lanes.map(lane => lane.ask(client => client.zscore(lane.keys.rows(tenant), id))));
  const at = times.find(time => time !== null);
  if (at === undefined)
    throw new HeadstoneError('invalid_request', `after is not a response in the ledger: ${id}.`, { param: 'after' });
  return { at: Number(at), response_id: id };
}

function matches(row: LedgerRow, { by, key, kind, usage }: WasteRowsQuery): boolean {
  return (
    (kind === undefined || row.kind === kind) &&
    (usage === undefined || usageOf(row) === usage) &&
    (by === undefined || key === undefined || valuesOf(row, by).includes(key))
  );
}

function valuesOf(row: LedgerRow, by: NonNullable<WasteRowsQuery['by']>): string[] {
  return by === 'tag' ? row.tags : [row[by] ?? ''];
}

/** A response that still runs is neither: nobody expects to know its usage yet. */
function usageOf({ status, kind }: LedgerRow): 'known' | 'open' | undefined {
  if (status === 'final') return 'known';
  return kind === null ? undefined : 'open';
}
