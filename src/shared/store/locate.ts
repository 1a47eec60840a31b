import { HeadstoneError } from '../contract/errors.ts';
import type { Lane } from './lane.ts';
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
export async function locate(store: Store, id: string, seeker: Seeker): Promise<Located | null> {
  const { count } = await store.currentPlan();
  const found = await find(store, id, seeker);
  // A process that has not heard of new lanes does not look there.
  return found === null && (await store.learnPlan()).count > count ? await find(store, id, seeker) : found;
}

async function find(store: Store, id: string, { tenant, seesAll }: Seeker): Promise<Located | null> {
  const lanes = await store.candidateLanes(id);
  const owners = await Promise.all(lanes.map(lane => tenantOf(lane, id)));
  const plain = owners.find(owner => owner !== null) ?? null;
  if (plain !== null && (tenant === null || plain === tenant)) return { id, tenant: plain };
  const chosen = (await Promise.all(lanes.map(lane => chosenAs(lane, id)))).flat();
  const own = chosen.find(one => one.tenant === tenant);
  if (own || !seesAll) return own ?? null;
  if (plain !== null) return { id, tenant: plain };
  if (chosen.length > 1) throw ambiguous(id, chosen);
  return chosen[0] ?? null;
}

/** True if the id names a job of any tenant, or a response that a job has made. */
export async function isKnown(store: Store, id: string): Promise<boolean> {
  const candidates = new Set(await store.candidateLanes(id));
  const counts = await Promise.all(
    (await store.allLanes()).map(lane => {
      const { keys } = lane;
      const places = candidates.has(lane) ? [keys.job(id), keys.chosen(id), keys.row(id)] : [keys.row(id)];
      return lane.ask(client => client.exists(...places));
    }),
  );
  return counts.some(count => count > 0);
}

/** True if every job on record belongs to this tenant. The sizes are read in one step, because jobs change their status. */
export async function ownsEverything(store: Store, tenant: string): Promise<boolean> {
  return (await Promise.all((await store.allLanes()).map(lane => ownsLane(lane, tenant)))).every(owns => owns);
}

async function ownsLane(lane: Lane, tenant: string): Promise<boolean> {
  const { keys } = lane;
  const [own, ...all] = await lane.ask(async client => {
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

async function tenantOf(lane: Lane, id: string): Promise<string | null> {
  return await lane.ask(client => client.hget(lane.keys.job(id), 'tenant'));
}

async function chosenAs(lane: Lane, id: string): Promise<Located[]> {
  const ids = await lane.ask(client => client.smembers(lane.keys.chosen(id)));
  const tenants = await Promise.all(ids.map(one => tenantOf(lane, one)));
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
