import { HeadstoneError } from '../shared/contract/errors.ts';
import { isResult } from '../shared/contract/words.ts';
import type { Store } from '../shared/store/store.ts';

type Item = Record<string, unknown>;

const LONGEST_ID = 200;
const MOST_REFERENCES = 1000;

/**
 * An input may name items of earlier responses by their ids, and the provider puts in what they hold. What a tombstone
 * withholds, and what another tenant was answered, must not come back that way (I1, I12).
 *
 * `sharesAccount`: the caller is one of several tenants of one account at the provider, so an item that Headstone does
 * not know may be somebody else's. Elsewhere such an item is the app's own, and passes.
 */
export async function assertReferences(
  store: Store,
  tenant: string,
  input: unknown,
  sharesAccount: boolean,
): Promise<void> {
  const ids = [...new Set(itemsIn(input).filter(isLookedUp).map(idOf))];
  if (ids.length === 0) return;
  if (ids.length > MOST_REFERENCES)
    throw new HeadstoneError('invalid_request', `The input names more than ${MOST_REFERENCES} items by their ids.`, {
      param: 'input',
    });
  await store.ready();
  const owners = await store.guard(() => store.client.mget(ids.map(id => store.keys.item(id))));
  for (const [position, id] of ids.entries()) {
    const owner = owners[position];
    const isUsable = owner ? await isOwnResult(store, tenant, owner) : !sharesAccount;
    if (!isUsable) throw unusable(id);
  }
}

async function isOwnResult(store: Store, tenant: string, jobId: string): Promise<boolean> {
  const record = await store.record(jobId);
  return record !== null && record.tenant === tenant && isResult(record.status) && record.deleted_at === undefined;
}

/** True where the provider has to look at the item's id to know what it holds. */
function isLookedUp(item: Item): boolean {
  if (typeof item.id !== 'string') return false;
  const type = item.type ?? (item.role === undefined ? 'item_reference' : 'message');
  switch (type) {
    case 'message':
      return item.content === undefined || item.content === null;
    case 'function_call':
      return typeof item.arguments !== 'string';
    case 'custom_tool_call':
      return typeof item.input !== 'string';
    case 'reasoning':
      return typeof item.encrypted_content !== 'string';
    default:
      // Answers of the app's own tools hold what they say; pictures, searches and references are found by their ids.
      return !(String(type).endsWith('_output') && item.output !== undefined);
  }
}

function itemsIn(input: unknown): Item[] {
  return Array.isArray(input) ? input.filter(item => typeof item === 'object' && item !== null) : [];
}

function idOf(item: Item): string {
  return String(item.id).slice(0, LONGEST_ID);
}

function unusable(id: string): HeadstoneError {
  return new HeadstoneError(
    'invalid_request',
    `The input names the item ${id}, which is not part of a finished result of this tenant that is still kept: send the item itself, or chain by previous_response_id.`,
    { param: 'input' },
  );
}
