import { HeadstoneError } from '../contract/errors.ts';
import type { Store } from './store.ts';

/** A job's id and tenant. They take two small reads, and nothing that a provider wrote is among them. */
export interface Located {
  /** The id that every other method takes. */
  id: string;
  tenant: string;
}

export interface Seeker {
  /** The tenant that asks; null for the app itself, whose ids are one namespace. */
  tenant: string | null;
  /** True if it may see other tenants' jobs too. */
  seesAll: boolean;
}

/**
 * Finds a job by its id, or by the id that a caller chose over HTTP, where each tenant has ids apart (I12). Null if there is
 * none that the seeker may see. Throws `invalid_request` if several other tenants chose this id.
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

/** True if the id names a job of any tenant, or a response that a job has made. */
export async function isKnown(store: Store, id: string): Promise<boolean> {
  const { keys } = store;
  return (await store.ask(client => client.exists(keys.job(id), keys.chosen(id), keys.row(id)))) > 0;
}

/** True if every job on record belongs to this tenant. The sizes are read in one step, because jobs change their status. */
export async function ownsEverything(store: Store, tenant: string): Promise<boolean> {
  const { keys } = store;
  const [own, ...all] = await store.ask(async client => {
    const reading = client.multi();
    for (const index of [keys.tenant(tenant), ...keys.statuses()]) reading.zcard(index);
    const answers = (await reading.exec()) ?? [];
    return answers.map(([error, size]) => {
      if (error) throw error;
      return Number(size);
    });
  });
  return own === all.reduce((sum, size) => sum + size, 0);
}

async function tenantOf(store: Store, id: string): Promise<string | null> {
  return await store.ask(client => client.hget(store.keys.job(id), 'tenant'));
}

async function chosenAs(store: Store, id: string): Promise<Located[]> {
  const ids = await store.ask(client => client.smembers(store.keys.chosen(id)));
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
