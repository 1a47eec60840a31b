import { randomUUID } from 'node:crypto';
import type { Store } from './store.ts';

/** The random id of this deployment, made by whoever comes first. */
export async function readDeployment(store: Store): Promise<string> {
  await store.ready();
  const { client, keys } = store;
  const known = await client.get(keys.deployment());
  if (known !== null) return known;
  await client.setnx(keys.deployment(), randomUUID().slice(0, 8));
  return (await client.get(keys.deployment())) ?? '';
}
