import { membersOf, withMembers } from '../shared/runtime/json-members.ts';

const MOST_ITEMS = 1000;
const LONGEST_ITEM_ID = 4096;

/** The ids of an output's items. A later request may name the items by them. */
export function itemIdsOf(output: unknown): string[] {
  const items: unknown[] = Array.isArray(output) ? output.slice(0, MOST_ITEMS) : [];
  return items.map(item => (item as { id?: unknown } | null)?.id).filter(isItemId);
}

function isItemId(id: unknown): id is string {
  return typeof id === 'string' && id !== '' && id.length <= LONGEST_ITEM_ID;
}

/** The result for its owner: the provider's text, without the metadata pair that Headstone added to the create. */
export function resultBody(text: string): string {
  const written = membersOf(text).get('metadata');
  const metadata: unknown = written === undefined ? null : JSON.parse(written);
  if (typeof metadata !== 'object' || metadata === null || !('headstone' in metadata)) return text;
  const { headstone, ...theirs } = metadata;
  return withMembers(text, { metadata: JSON.stringify(theirs) });
}
