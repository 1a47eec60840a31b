import type { Job } from '../../../src/shared/contract/job.ts';
import { CLIENT_DISCONNECTED } from '../../../src/shared/contract/words.ts';
import { promptOf, type Users } from './users.ts';

export type Ordered = Pick<Users, 'accepted' | 'sent' | 'deserted'>;
type OrderedJob = Pick<Job, 'id' | 'preview' | 'status' | 'created_at' | 'decided_at' | 'tombstone'>;

/** The jobs beside what users ordered: none is lost, none is there twice, and none ran on for a caller who had left. */
export function misordered(jobs: OrderedJob[], { accepted, sent, deserted }: Ordered): string[] {
  const known = new Set(jobs.map(({ id }) => id));
  const byPrompt = Map.groupBy(jobs, ({ preview }) => preview);
  return [
    ...[...accepted].filter(id => !known.has(id)).map(id => `I5: ${id} was accepted and is on no list.`),
    ...[...sent].flatMap(([number, times]) => {
      const all = byPrompt.get(promptOf(number)) ?? [];
      const made = all.filter(job => !wasReplaced(job, all));
      return made.length > times
        ? [`I6: ${times} creates of "${promptOf(number)}" made ${all.length} jobs: ${all.map(told).join('; ')}.`]
        : [];
    }),
    ...[...deserted].flatMap(number =>
      (byPrompt.get(promptOf(number)) ?? []).flatMap(({ id, status }) =>
        status === 'completed' ? [`The caller of ${id} had left, and it was completed.`] : [],
      ),
    ),
  ];
}

/**
 * True if the caller stayed away for longer than the grace, so that the job was cancelled, and came back only then. That is
 * another run, because a cancel is final (I1). A client whose server is slow for 15 s tries again after up to 8 s.
 */
function wasReplaced({ status, tombstone, decided_at }: OrderedJob, all: OrderedJob[]): boolean {
  const wasLeft = status === 'cancelled' && tombstone?.reason === CLIENT_DISCONNECTED;
  return wasLeft && all.some(({ created_at }) => created_at >= Number(decided_at));
}

/** What tells apart jobs of one create. */
function told({ id, status, tombstone, created_at, decided_at }: OrderedJob): string {
  const why = tombstone?.reason ? ` (${tombstone.reason})` : '';
  return `${id} of ${created_at}, ${status}${why} at ${decided_at}`;
}
