import { openStatuses } from '../../shared/contract/words.ts';
import type { Lane } from '../../shared/store/lane.ts';
import { servantsOf } from '../../shared/store/lanes/servants.ts';
import type { Store } from '../../shared/store/store.ts';

export interface LaneState {
  lane: number;
  /** The node that has the lane's keys. */
  node: string;
  /** The slot of its keys in a Redis Cluster. */
  slot: number;
  workers: number;
  open_jobs: number;
  /** How many of its responses may run at once. Null in a deployment of one lane, which has the whole cap. */
  max_in_flight: number | null;
  /** Why the lane does not answer. */
  away?: string;
}

export async function describeLanes(store: Store): Promise<LaneState[]> {
  return await Promise.all((await store.allLanes()).map(describe));
}

async function describe(lane: Lane): Promise<LaneState> {
  const { keys, number, slot } = lane;
  try {
    const [servants, counts, share] = await Promise.all([
      servantsOf(lane),
      lane.ask(client => Promise.all(openStatuses.map(status => client.zcard(keys.status(status))))),
      lane.ask(client => client.hget(keys.share(), 'in_flight')),
    ]);
    return {
      lane: number,
      node: lane.node,
      slot,
      workers: servants.length,
      open_jobs: counts.reduce((sum, count) => sum + count, 0),
      max_in_flight: share === null ? null : Number(share),
    };
  } catch (error) {
    const away = error instanceof Error ? error.message : String(error);
    return { lane: number, node: lane.node, slot, workers: 0, open_jobs: 0, max_in_flight: null, away };
  }
}
