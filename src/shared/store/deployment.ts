import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { Lane } from './lane.ts';

/** The random id of this deployment. The first process to ask makes it. */
export async function readDeployment(home: Lane): Promise<string> {
  return await readOrMake(home, home.keys.deployment(), () => randomUUID().slice(0, 8));
}

/** The secret of this deployment. It is read each time, so that no process keeps one that the store has lost. */
export async function readSecret(home: Lane): Promise<string> {
  return await readOrMake(home, home.keys.secret(), () => randomBytes(32).toString('hex'));
}

/**
 * The secret that signs messages to the callbacks of a tenant, in the form of Standard Webhooks. Each tenant has one, so that none
 * can sign for another (I12).
 */
export async function callbackSecret(home: Lane, tenant: string): Promise<string> {
  const digest = createHmac('sha256', await readSecret(home))
    .update(JSON.stringify(['callback', tenant]))
    .digest();
  return `whsec_${digest.toString('base64')}`;
}

async function readOrMake(home: Lane, place: string, make: () => string): Promise<string> {
  return await home.ask(async client => {
    const known = await client.get(place);
    if (known !== null) return known;
    await client.setnx(place, make());
    return (await client.get(place)) ?? '';
  });
}
