import type { Cancellation, CancellationFilter } from '../../../shared/contract/cancellation.ts';
import { counted, span } from '../../../shared/runtime/format.ts';

/** Which jobs a filter selects, in words. */
export function selectionOf(filter: CancellationFilter | Cancellation['filter']): string {
  const { ids, all, older_than_ms, newer_than_ms, since, until, ...named } = filter as CancellationFilter;
  if (ids) return counted(ids.length, 'selected job');
  if (all) return 'every open job';
  const parts = [
    ...Object.entries(named).map(([name, value]) => `${name} ${value}`),
    older_than_ms === undefined ? '' : `older than ${span(older_than_ms)}`,
    newer_than_ms === undefined ? '' : `newer than ${span(newer_than_ms)}`,
    since === undefined ? '' : `since ${since}`,
    until === undefined ? '' : `until ${until}`,
  ];
  return `open jobs: ${parts.filter(Boolean).join(', ')}`;
}
