import { HeadstoneError } from '../shared/contract/errors.ts';

export function notAccepted(id: string, cause: Error): HeadstoneError {
  return new HeadstoneError('store_refused', `The store did not accept job ${id}. Enqueue it again with the same id.`, {
    cause,
  });
}

export function idConflict(id: string): HeadstoneError {
  return new HeadstoneError(
    'id_conflict',
    `The id ${id} belongs to a job with another request, so nothing was enqueued. Use a new id, or leave it out.`,
    { param: 'id' },
  );
}

export function lanesMove(): HeadstoneError {
  return new HeadstoneError('store_refused', 'The number of lanes is being raised, so nothing was stored. Try again.');
}

export function taken(id: string): HeadstoneError {
  return new HeadstoneError(
    'id_taken',
    `The id ${id} is taken, so nothing was enqueued. Use another id, or leave it out.`,
    {
      param: 'id',
    },
  );
}
