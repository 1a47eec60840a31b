import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { idOfKey, type PlacedId, scopedId } from '../../producer/ids.ts';
import type { Producer } from '../../producer/producer.ts';
import { hasOwnIds } from '../access/permissions.ts';

/** An SDK gives up long before this. */
const MOST_SENDS = 100;

/** The job's id if the caller chose one or sent an Idempotency-Key; undefined if nothing names the job. */
export async function namedId(
  { caller, headers }: FastifyRequest,
  chosen: string | undefined,
  tenant: string,
  { store }: Producer,
): Promise<Partial<PlacedId> | undefined> {
  if (chosen !== undefined) return hasOwnIds(caller) ? await scopedId(store, tenant, chosen) : { id: chosen };
  const key = headers['idempotency-key'];
  return typeof key === 'string' && key !== '' ? await idOfKey(store, tenant, key) : undefined;
}

/** How often OpenAI's SDK has sent this create before; null if the client does not say. */
export function sendNumber(request: FastifyRequest): number | null {
  const header = request.headers['x-stainless-retry-count'];
  if (typeof header !== 'string' || !/^\d{1,3}$/.test(header)) return null;
  return Math.min(Number(header), MOST_SENDS);
}

/** What tells a create from another one of the same key. */
export function digestOf({ caller, rawBody, body }: FastifyRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([caller.tenant, caller.keyName, rawBody ?? body]))
    .digest('hex');
}
