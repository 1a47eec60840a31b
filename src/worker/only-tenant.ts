import { within } from '../shared/runtime/within.ts';
import { ownsEverything } from '../shared/store/locate.ts';
import type { Context } from './context.ts';

/** The refusal has to reach the record soon, whatever becomes of the other lanes. */
const MOST_MS = 500;

/**
 * True if all jobs of the deployment are of one tenant, whose refusals are then evidence for a hold of all launches (I12). One
 * lane finds that out in the step that needs it, so this is undefined for a deployment of one lane. If a lane does not
 * answer, this is false, because nobody may be held back by mistake.
 */
export async function isOnlyTenant(id: string, { store, lanes }: Context): Promise<boolean | undefined> {
  if (lanes.lanes.length === 1) return undefined;
  try {
    const record = await within(MOST_MS, store.record(id));
    return record !== null && (await within(MOST_MS, ownsEverything(lanes, record.tenant)));
  } catch {
    return false;
  }
}
