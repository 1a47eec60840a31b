import type { Store } from '../shared/store/store.ts';

/** A job's request; null if it is no longer kept. The version before stored a field of Headstone's in it. */
export async function storedRequest(store: Store, id: string): Promise<Record<string, unknown> | null> {
  const lane = await store.laneOf(id);
  const stored = await lane.request(id);
  if (stored === null) return null;
  const { headstone_predecessor: _, ...request } = JSON.parse(stored) as Record<string, unknown>;
  return request;
}
