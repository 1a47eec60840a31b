import { HeadstoneError } from '../shared/contract/errors.ts';
import { isResult } from '../shared/contract/words.ts';
import { locate } from '../shared/store/locate.ts';
import type { Store } from '../shared/store/store.ts';

/**
 * The provider's id for a `previous_response_id`. Only results of the same tenant can be continued, because a chain from a
 * cancelled response would bring its output back (I1, I12). An id that Headstone does not know passes unchanged, unless
 * several tenants share the account at the provider. Throws `invalid_request`.
 */
export async function upstreamPredecessor(
  store: Store,
  tenant: string,
  id: string,
  sharesAccount: boolean,
): Promise<string> {
  const own = await locate(store, id, { tenant, seesAll: false });
  const record = await store.record(own?.id ?? id);
  if (record) {
    if (
      record.tenant !== tenant ||
      !isResult(record.status) ||
      record.response_id === undefined ||
      record.deleted_at !== undefined
    )
      throw unusable(id);
    await (await store.laneOf(record.id)).untilDurable(record);
    return record.response_id;
  }
  const row = await store.row(id);
  // If tenants share an account, a response that Headstone does not know could be another tenant's.
  if (!row && sharesAccount) throw unusable(id);
  if (!row) return id;
  const owner = await store.record(row.job_id);
  if (row.kind !== 'used' || row.tenant !== tenant || owner?.deleted_at !== undefined) throw unusable(id);
  return id;
}

function unusable(id: string): HeadstoneError {
  return new HeadstoneError(
    'invalid_request',
    `previous_response_id ${id} is not a finished result of this tenant, so it cannot be continued. Use the id of a completed job.`,
    { param: 'previous_response_id' },
  );
}
