import type { Job } from '../contract/job.ts';
import type { Lane } from './lane.ts';
import type { Store } from './store.ts';

interface Continuation {
  id: string;
  sequence: number;
}

/** The ids of the newest jobs that continue a job's result, the newest first and at most so many. Each lane keeps its own. */
export async function continuationsOf(store: Store, job: Job, most: number): Promise<string[]> {
  if (job.response_id === null) return [];
  const responseId = job.response_id;
  const lanes = await store.allLanes();
  const found = await Promise.all(lanes.map(lane => continuationsIn(lane, { responseId, tenant: job.tenant, most })));
  return found
    .flat()
    .sort((left, right) => right.sequence - left.sequence)
    .slice(0, most)
    .map(({ id }) => id);
}

async function continuationsIn(
  lane: Lane,
  { responseId, tenant, most }: { responseId: string; tenant: string; most: number },
): Promise<Continuation[]> {
  const { keys } = lane;
  return await lane.ask(async client => {
    const listed = await client.zrevrange(keys.continued(responseId), 0, most - 1, 'WITHSCORES');
    const ids = listed.filter((_, position) => position % 2 === 0);
    // A job whose record has expired has no tenant. Another tenant may have named the response before this one adopted it (I12).
    const tenants = await Promise.all(ids.map(id => client.hget(keys.job(id), 'tenant')));
    return ids.flatMap((id, n) => (tenants[n] === tenant ? { id, sequence: Number(listed[2 * n + 1]) } : []));
  });
}
