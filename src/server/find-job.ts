import type { Producer } from '../producer/producer.ts';
import { HeadstoneError } from '../shared/contract/errors.ts';
import type { Job } from '../shared/contract/job.ts';
import { jobIdSchema } from '../shared/contract/words.ts';
import type { Caller } from './sign-in.ts';

/** The caller's own job. Another tenant's is as absent as one that never was (I12). */
export async function findJob(producer: Producer, id: string, caller: Caller): Promise<Job> {
  const job = jobIdSchema.safeParse(id).success ? await producer.get(id) : null;
  if (!job || !(caller.admin || job.tenant === caller.tenant)) throw notFound(id);
  return job;
}

export function notFound(id: string): HeadstoneError {
  return new HeadstoneError('job_not_found', `Response with id '${id}' not found.`);
}
