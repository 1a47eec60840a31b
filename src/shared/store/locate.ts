import { HeadstoneError } from '../contract/errors.ts';
import type { Store } from './store.ts';

/** Where a job stands in the store, and whose it is: two small reads, and nothing that a provider wrote. */
export interface Located {
  /** The id that every other call takes. */
  id: string;
  tenant: string;
}

export interface Seeker {
  /** Whose job is looked for first; null for the app itself, whose ids are one namespace. */
  tenant: string | null;
  /** True finds other tenants' jobs too. */
  seesAll: boolean;
}

/**
 * Finds a job by the id that its caller knows it by: its own, or the one that was chosen over HTTP, where each tenant has
 * ids to itself (I12). Throws where several tenants chose the same id and none of them is the seeker's.
 */
export async function locate(store: Store, id: string, { tenant, seesAll }: Seeker): Promise<Located | null> {
  const plain = await tenantOf(store, id);
  if (plain !== null && (tenant === null || plain === tenant)) return { id, tenant: plain };
  const chosen = await chosenAs(store, id);
  const own = chosen.find(one => one.tenant === tenant);
  if (own || !seesAll) return own ?? null;
  if (plain !== null) return { id, tenant: plain };
  if (chosen.length > 1) throw ambiguous(id, chosen);
  return chosen[0] ?? null;
}

async function tenantOf(store: Store, id: string): Promise<string | null> {
  await store.ready();
  return await store.guard(() => store.client.hget(store.keys.job(id), 'tenant'));
}

async function chosenAs(store: Store, id: string): Promise<Located[]> {
  const ids = await store.guard(() => store.client.smembers(store.keys.chosen(id)));
  const tenants = await Promise.all(ids.map(one => tenantOf(store, one)));
  return ids.flatMap((one, position) => {
    const tenant = tenants[position];
    return typeof tenant === 'string' ? [{ id: one, tenant }] : [];
  });
}

function ambiguous(id: string, chosen: Located[]): HeadstoneError {
  const named = chosen.map(one => `${one.id} (${one.tenant})`).join(', ');
  return new HeadstoneError(
    'invalid_request',
    `Several tenants have a job ${id}. Name one of these instead: ${named}.`,
    {
      param: 'id',
    },
  );
}
