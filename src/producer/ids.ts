import { createHash, createHmac } from 'node:crypto';
import { readSecret } from '../shared/store/deployment.ts';
import type { LanePlan } from '../shared/store/lanes/plan.ts';
import { locate } from '../shared/store/locate.ts';
import type { Store } from '../shared/store/store.ts';

/** An id, and the number of lanes by which it was made if that says where its job belongs. */
export interface PlacedId {
  id: string;
  lanes?: number;
}

/**
 * The id of the job that a tenant calls `chosen`. It is made with a secret, so that no tenant can block another's ids or find
 * out which ones are in use (I12).
 */
export async function scopedId(store: Store, tenant: string, chosen: string): Promise<PlacedId> {
  const bare = `own_${(await digest(store, ['id', tenant, chosen])).slice(0, 40)}`;
  // It goes where the chosen id belongs, so that one step finds all jobs that are known by that id.
  return await carried(store, bare, tenant, plan => plan.laneOf(chosen), chosen);
}

/**
 * The id with the lane behind it. While an id belonged elsewhere by an earlier number of lanes, its job may be there, and then
 * it is that job's id; likewise if the app itself has enqueued a job of this tenant by the chosen id.
 */
async function carried(
  store: Store,
  bare: string,
  tenant: string,
  laneBy: (plan: LanePlan) => number,
  chosen?: string,
): Promise<PlacedId> {
  const plan = await store.currentPlan();
  for (const earlier of plan.earlier()) {
    const number = laneBy(earlier);
    const id = earlier.carry(bare, number);
    const isThere =
      (await locate(store, id, { tenant, seesAll: false })) !== null ||
      (chosen !== undefined && (await store.lanes[number]?.record(chosen))?.tenant === tenant);
    if (isThere) return { id, lanes: plan.count };
  }
  return { id: plan.carry(bare, laneBy(plan)), lanes: plan.count };
}

/** The id of an Idempotency-Key's job. A job that the version before made from the key is still found. */
export async function idOfKey(store: Store, tenant: string, key: string): Promise<PlacedId> {
  const before = `resp_${createHash('sha256')
    .update(JSON.stringify([tenant, key]))
    .digest('hex')
    .slice(0, 32)}`;
  if (await locate(store, before, { tenant, seesAll: false })) return { id: before };
  const made = (await digest(store, ['key', tenant, key])).slice(0, 32);
  return await carried(store, `resp_${made}`, tenant, plan => plan.laneOf(made));
}

async function digest(store: Store, parts: string[]): Promise<string> {
  return createHmac('sha256', await readSecret(store.home))
    .update(JSON.stringify(parts))
    .digest('hex');
}
