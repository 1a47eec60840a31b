import { randomBytes, randomUUID } from 'node:crypto';
import type { Store } from './store.ts';

/** The random id of this deployment. The first process to ask makes it. */
export async function readDeployment(store: Store): Promise<string> {
  return await readOrMake(store, store.keys.deployment(), () => randomUUID().slice(0, 8));
}

/** The secret of this deployment. It is read each time, so that no process keeps one that the store has lost. */
export async function readSecret(store: Store): Promise<string> {
  return await readOrMake(store, store.keys.secret(), () => randomBytes(32).toString('hex'));
}

async function readOrMake(store: Store, place: string, make: () => string): Promise<string> {
  return await store.ask(async client => {
    const known = await client.get(place);
    if (known !== null) return known;
    await client.setnx(place, make());
    return (await client.get(place)) ?? '';
  });
}
