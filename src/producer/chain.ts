import { HeadstoneError } from '../shared/contract/errors.ts';
import { isResult } from '../shared/contract/words.ts';
import { locate } from '../shared/store/locate.ts';
import type { Store } from '../shared/store/store.ts';

/**
 * The provider's id behind a `previous_response_id`. A chain from a cancelled response would bring its output back by
 * the side door, so only results of the same tenant can be continued (I1, I12). An id that is not ours passes
 * as it is, unless several tenants share the account at the provider.
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
    await store.untilDurable(record);
    return record.response_id;
  }
  const row = await store.row(id);
  // Where tenants share an account, what nobody knows could be another's, and so could the answer that it is unknown.
  if (!row && sharesAccount) throw unusable(id);
  if (!row) return id;
  const owner = await store.record(row.job_id);
  if (row.kind !== 'used' || row.tenant !== tenant || owner?.deleted_at !== undefined) throw unusable(id);
  return id;
}

function unusable(id: string): HeadstoneError {
  return new HeadstoneError(
    'invalid_request',
    `previous_response_id ${id} is not a finished result of this tenant, so nothing can be chained to it: use the id of a completed job.`,
    { param: 'previous_response_id' },
  );
}
