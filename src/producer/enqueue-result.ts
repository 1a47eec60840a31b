import { HeadstoneError } from '../shared/contract/errors.ts';
import type { JobStatus } from '../shared/contract/words.ts';
import type { ReplyOf } from '../shared/store/scripts.ts';
import { idConflict, lanesMove, notAccepted, taken } from './enqueue-errors.ts';

export interface EnqueuedJob {
  id: string;
  /** `queued`, or the status of the job if the same request was enqueued before. */
  status: JobStatus;
}

/** One answer of `enqueueMany`: the job, or why it was refused. The others are not affected. */
export type EnqueueResult = (EnqueuedJob & { error: null }) | { id: string; status: null; error: HeadstoneError };

/** What a caller is told of a job. `isNew`: it was not on record before. */
export function resultOf(id: string, reply: ReplyOf<'accept'> | Error): EnqueueResult & { isNew: boolean } {
  const refused = (error: HeadstoneError) => ({ id, status: null, error, isNew: false });
  if (reply instanceof HeadstoneError) return refused(reply);
  if (reply instanceof Error) return refused(notAccepted(id, reply));
  switch (reply.reply) {
    case 'accepted':
      return { id, status: reply.status, error: null, isNew: true };
    case 'same':
      return { id: reply.id, status: reply.status, error: null, isNew: false };
    case 'conflict':
      return refused(idConflict(id));
    case 'taken':
      return refused(taken(id));
    case 'misplaced':
      return refused(lanesMove());
  }
}
