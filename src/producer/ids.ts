import { createHash, createHmac, randomUUID } from 'node:crypto';
import { readSecret } from '../shared/store/deployment.ts';
import { locate } from '../shared/store/locate.ts';
import type { Store } from '../shared/store/store.ts';

/**
 * A new job's id. It has the shape of the provider's ids, because some clients check it. Node draws the chance for many UUIDs
 * at once, where `randomBytes` takes a fifth of the time of an enqueue.
 */
export function newJobId(): string {
  return `resp_${randomUUID().replaceAll('-', '')}`;
}

/**
 * The id of the job that a tenant calls `chosen`. It is made with a secret, so that no tenant can block another's ids or find
 * out which ones are in use (I12).
 */
export async function scopedId(store: Store, tenant: string, chosen: string): Promise<string> {
  return `own_${(await digest(store, ['id', tenant, chosen])).slice(0, 40)}`;
}

/** The id of an Idempotency-Key's job. A job that the version before made from the key is still found. */
export async function idOfKey(store: Store, tenant: string, key: string): Promise<string> {
  const before = `resp_${createHash('sha256')
    .update(JSON.stringify([tenant, key]))
    .digest('hex')
    .slice(0, 32)}`;
  if (await locate(store, before, { tenant, seesAll: false })) return before;
  return `resp_${(await digest(store, ['key', tenant, key])).slice(0, 32)}`;
}

async function digest(store: Store, parts: string[]): Promise<string> {
  return createHmac('sha256', await readSecret(store))
    .update(JSON.stringify(parts))
    .digest('hex');
}
