import type { LedgerRow } from '../contract/ledger.ts';
import type { Lane } from './lane.ts';
import { parseRow } from './record.ts';

export interface RowsWalk {
  tenant: string | undefined;
  /** The first and the last millisecond, in which the rows were opened. */
  from: number;
  to: number;
  order: 'newest' | 'oldest';
  /** How many rows are read at once. */
  page: number;
}

/**
 * The rows of one lane by the time at which they were opened. It goes on at the time of the last one that it has read, so rows
 * that are opened or expire meanwhile hide none and show none twice.
 */
export async function* walkRows(
  lane: Lane,
  { tenant, from, to, order, page }: RowsWalk,
): AsyncGenerator<LedgerRow, void> {
  const index = lane.keys.rows(tenant);
  let edge = order === 'newest' ? to : from;
  // How many rows of that very millisecond have been read.
  let behind = 0;
  for (;;) {
    const flat = await lane.ask(client =>
      order === 'newest'
        ? client.zrevrangebyscore(index, bound(edge), bound(from), 'WITHSCORES', 'LIMIT', behind, page)
        : client.zrangebyscore(index, bound(edge), bound(to), 'WITHSCORES', 'LIMIT', behind, page),
    );
    if (flat.length === 0) return;
    const ids = flat.filter((_, n) => n % 2 === 0);
    const times = flat.filter((_, n) => n % 2 === 1).map(Number);
    const last = times.at(-1) ?? edge;
    behind = times.filter(at => at === last).length + (last === edge ? behind : 0);
    edge = last;
    const hashes = await lane.ask(client => Promise.all(ids.map(id => client.hgetall(lane.keys.row(id)))));
    for (const hash of hashes) {
      const row = parseRow(hash);
      if (row) yield row;
    }
  }
}

/** A time as Redis takes it, which may be endless. */
function bound(at: number): string {
  return Number.isFinite(at) ? String(at) : at > 0 ? '+inf' : '-inf';
}
