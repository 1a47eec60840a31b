import type { Producer } from '../../producer/producer.ts';
import { responseBody } from '../../producer/response-body.ts';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import type { Job } from '../../shared/contract/job.ts';
import { jobIdSchema } from '../../shared/contract/words.ts';
import type { Caller } from '../access/sign-in.ts';

/** The caller's own job. Another tenant's is as absent as one that never was (I12). */
export async function findJob(producer: Producer, id: string, caller: Caller): Promise<Job> {
  const job = jobIdSchema.safeParse(id).success ? await producer.get(id) : null;
  if (!job || !(caller.admin || job.tenant === caller.tenant)) throw notFound(id);
  return job;
}

/** The caller's own job whose request and result are not gone. */
export async function findKeptJob(producer: Producer, id: string, caller: Caller): Promise<Job> {
  const job = await findJob(producer, id, caller);
  if (job.outcome?.result === 'deleted') throw notFound(id);
  if (job.outcome?.result === 'expired')
    throw new HeadstoneError(
      'result_expired',
      `Response ${id} ended as ${job.status}, and its result is no longer kept.`,
    );
  return job;
}

/** What OpenAI's clients see of a job. */
export async function showResponse(producer: Producer, id: string, caller: Caller) {
  const job = await findKeptJob(producer, id, caller);
  return responseBody(job, await producer.request(id));
}

export function notFound(id: string): HeadstoneError {
  return new HeadstoneError('job_not_found', `Response with id '${id}' not found.`);
}
