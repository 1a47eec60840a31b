import { randomBytes, randomUUID } from 'node:crypto';
import type { Store } from './store.ts';

/** The random id of this deployment, made by whoever comes first. */
export async function readDeployment(store: Store): Promise<string> {
  return await readOrMake(store, store.keys.deployment(), () => randomUUID().slice(0, 8));
}

/** The secret of this deployment. It is read anew each time, so that no process keeps one that the store has forgotten. */
export async function readSecret(store: Store): Promise<string> {
  return await readOrMake(store, store.keys.secret(), () => randomBytes(32).toString('hex'));
}

async function readOrMake(store: Store, place: string, make: () => string): Promise<string> {
  await store.ready();
  const { client } = store;
  return await store.guard(async () => {
    const known = await client.get(place);
    if (known !== null) return known;
    await client.setnx(place, make());
    return (await client.get(place)) ?? '';
  });
}
