import { HeadstoneError } from '../shared/contract/errors.ts';
import { isResult } from '../shared/contract/words.ts';
import type { Store } from '../shared/store/store.ts';

type Item = Record<string, unknown>;

const LONGEST_SHOWN = 200;
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
  const ids = [...new Set(itemsIn(input).flatMap(idsLookedUp))];
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

/** The ids at which the provider has to look to know what an item holds. */
function idsLookedUp(item: Item): string[] {
  const approved = item.approval_request_id;
  return [...(isLookedUp(item) ? [item.id] : []), approved].filter(id => typeof id === 'string');
}

function isLookedUp(item: Item): boolean {
  const type = item.type ?? (item.role === undefined ? 'item_reference' : 'message');
  switch (type) {
    case 'message':
      return isEmpty(item.content);
    case 'function_call':
      return typeof item.arguments !== 'string';
    case 'custom_tool_call':
      return typeof item.input !== 'string';
    case 'reasoning':
      return isEmpty(item.encrypted_content);
    default:
      // Answers of the app's own tools hold what they say; pictures, searches and references are found by their ids.
      return !(String(type).endsWith('_output') && item.output !== undefined);
  }
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

/** An input may be one item alone, with lenient providers. */
function itemsIn(input: unknown): Item[] {
  const items: unknown[] = Array.isArray(input) ? input : [input];
  return items.filter((item): item is Item => typeof item === 'object' && item !== null);
}

function unusable(id: string): HeadstoneError {
  return new HeadstoneError(
    'invalid_request',
    `The input names the item ${id.slice(0, LONGEST_SHOWN)}, which is not part of a finished result of this tenant that is still kept: send the item itself, or chain by previous_response_id.`,
    { param: 'input' },
  );
}
