import { HeadstoneError } from '../shared/contract/errors.ts';
import { disguisedNameOfItem } from '../shared/contract/request.ts';
import { isResult } from '../shared/contract/words.ts';
import type { Store } from '../shared/store/store.ts';

type Item = Record<string, unknown>;

const LONGEST_SHOWN = 200;
const MOST_REFERENCES = 1000;

/**
 * Checks the items that an input names by id, because the provider replaces them by their content. The output of a cancelled
 * job, or of another tenant's, must not come back that way (I1, I12). Throws `invalid_request`.
 *
 * `sharesAccount`: other tenants use the same account at the provider, so an item that Headstone does not know may be
 * theirs. Otherwise such an item is the app's own and passes.
 */
export async function assertReferences(
  store: Store,
  tenant: string,
  input: unknown,
  sharesAccount: boolean,
): Promise<void> {
  const items = itemsIn(input);
  const disguised = items.map(disguisedNameOfItem).find(name => name !== undefined);
  if (disguised !== undefined)
    throw new HeadstoneError(
      'invalid_request',
      `The input has an item with a field ${disguised}. Write it as ${disguised.toLowerCase()}.`,
      { param: 'input' },
    );
  const ids = [...new Set(items.flatMap(idsLookedUp))];
  if (ids.length === 0) return;
  if (ids.length > MOST_REFERENCES)
    throw new HeadstoneError('invalid_request', `The input names more than ${MOST_REFERENCES} items by their ids.`, {
      param: 'input',
    });
  const owners = await ownersOf(store, ids);
  for (const id of ids) {
    const owner = owners.get(id);
    const isUsable = owner ? await isOwnResult(store, tenant, owner) : !sharesAccount;
    if (!isUsable) throw unusable(id);
  }
}

/** The jobs whose results have these items. An item's id does not tell its lane, so every lane is asked. */
async function ownersOf(store: Store, ids: string[]): Promise<Map<string, string>> {
  const owners = new Map<string, string>();
  const lanes = await store.allLanes();
  await Promise.all(
    lanes.map(async lane => {
      const found = await lane.ask(client => client.mget(ids.map(id => lane.keys.item(id))));
      for (const [position, owner] of found.entries()) if (owner) owners.set(ids[position] ?? '', owner);
    }),
  );
  return owners;
}

async function isOwnResult(store: Store, tenant: string, jobId: string): Promise<boolean> {
  const record = await store.record(jobId);
  return record !== null && record.tenant === tenant && isResult(record.status) && record.deleted_at === undefined;
}

/** The ids of an item that the provider looks up. */
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
      // The output of an app's tool is in the item. Images, searches and references are looked up.
      return !(String(type).endsWith('_output') && item.output !== undefined);
  }
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

/** Lenient providers take a single item for an input. */
function itemsIn(input: unknown): Item[] {
  const items: unknown[] = Array.isArray(input) ? input : [input];
  return items.filter((item): item is Item => typeof item === 'object' && item !== null);
}

function unusable(id: string): HeadstoneError {
  return new HeadstoneError(
    'invalid_request',
    `The input refers to the item ${id.slice(0, LONGEST_SHOWN)}, but no stored result of this tenant contains it. Send the whole item, or use previous_response_id.`,
    { param: 'input' },
  );
}
