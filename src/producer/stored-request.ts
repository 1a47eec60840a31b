import type { Store } from '../shared/store/store.ts';

/**
 * A job's request as it was asked for, or null when it is no longer kept. The version before this one kept a field of
 * its own beside what the app had said.
 */
export async function storedRequest(store: Store, id: string): Promise<Record<string, unknown> | null> {
  const stored = await store.request(id);
  if (stored === null) return null;
  const { headstone_predecessor: _, ...request } = JSON.parse(stored) as Record<string, unknown>;
  return request;
}
