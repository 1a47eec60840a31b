import type { Overview } from '../contract/overview.ts';
import { readDepths } from './depths.ts';
import { readHolds } from './holds.ts';
import type { Lane } from './lane.ts';
import { servantsOf } from './lanes/servants.ts';
import type { Store } from './store.ts';

const HOUR_MS = 3_600_000;

/** How many of the jobs that ended last are counted in each lane. */
const MOST_COUNTED = 1000;

/** A deployment at a glance. It reads a bounded number of keys, however many jobs there are. */
export async function readOverview(store: Store, recordTtlMs: number): Promise<Overview> {
  const depths = await readDepths(store);
  const lanes = (await store.allLanes()).filter(({ number }) => !depths.lanes_away.includes(number));
  const [holds, ends, oldest, servants] = await Promise.all([
    readHolds(lanes),
    Promise.all(lanes.map(lane => recentEnds(lane, recordTtlMs))),
    Promise.all(lanes.map(oldestQueued)),
    Promise.all(lanes.map(servantsOf)),
  ]);
  // A worker serves several lanes.
  const versionOf = new Map(servants.flat().map(({ token, version }) => [token, version || 'older']));
  const waiting = oldest.filter(at => at !== null);
  return {
    depths,
    holds,
    ended: countBy(ends.flat()),
    more: ends.some(({ length }) => length >= MOST_COUNTED),
    oldest_queued_at: waiting.length === 0 ? null : Math.min(...waiting),
    workers: versionOf.size,
    versions: countBy(versionOf.values()),
  };
}

/** The outcomes of the jobs that ended within the last hour. Ended jobs are indexed by the time at which their record expires. */
async function recentEnds(lane: Lane, recordTtlMs: number): Promise<string[]> {
  const since = lane.now() + recordTtlMs - HOUR_MS;
  return await lane.ask(async client => {
    const ids = await client.zrangebyscore(lane.keys.ended(), since, '+inf', 'LIMIT', 0, MOST_COUNTED);
    const statuses = await Promise.all(ids.map(id => client.hget(lane.keys.job(id), 'status')));
    return statuses.filter(status => status !== null);
  });
}

async function oldestQueued(lane: Lane): Promise<number | null> {
  return await lane.ask(async client => {
    const [id] = await client.zrange(lane.keys.status('queued'), '0', '0');
    const at = id === undefined ? null : await client.hget(lane.keys.job(id), 'created_at');
    return at === null ? null : Number(at);
  });
}

function countBy(words: Iterable<string>): Record<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return Object.fromEntries(counts);
}
