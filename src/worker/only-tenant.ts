import { ownsEverything } from '../shared/store/locate.ts';
import type { Context } from './context.ts';

/**
 * True if all jobs of the deployment are of one tenant, whose refusals are then evidence for a hold of all launches (I12). One
 * lane finds that out in the step that needs it, so this is undefined for a deployment of one lane. If a lane is away, the answer
 * is no, because nobody may be held back by mistake.
 */
export async function isOnlyTenant(id: string, { store, lanes }: Context): Promise<boolean | undefined> {
  if (lanes.lanes.length === 1) return undefined;
  try {
    const record = await store.record(id);
    return record !== null && (await ownsEverything(lanes, record.tenant));
  } catch {
    return false;
  }
}
