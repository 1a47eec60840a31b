import type { FastifyReply } from 'fastify';
import type { Producer } from '../../producer/producer.ts';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import type { Job, JobSummary } from '../../shared/contract/job.ts';
import type { LedgerRow } from '../../shared/contract/ledger.ts';
import type { Verdict } from '../../shared/contract/words.ts';
import { membersOf, withMembers } from '../../shared/runtime/json-members.ts';
import type { Caller } from '../access/key-ring.ts';
import { locateJob, notFound } from '../access/permissions.ts';

/** A job that the caller may see. Throws `job_not_found`. */
export async function findJob(producer: Producer, id: string, caller: Caller): Promise<Job> {
  const located = await locateJob(producer, id, caller);
  const job = await producer.get(located.id);
  if (!job) throw notFound(id, 'Job');
  return job;
}

/** A job whose request and result are still kept. `shownId` is the id in the errors `job_not_found` and `result_expired`. */
export async function readKeptJob(producer: Producer, id: string, shownId: string): Promise<Job> {
  const job = await producer.get(id);
  if (!job || job.outcome?.result === 'deleted') throw notFound(shownId, 'Response');
  if (job.outcome?.result === 'expired')
    throw new HeadstoneError(
      'result_expired',
      `Response ${shownId} ended as ${job.status}, and its result is no longer kept.`,
    );
  return job;
}

/** The Response that OpenAI's clients see of a job, as JSON, with the verdict after a cancel. */
export async function showResponse(
  producer: Producer,
  id: string,
  shownId: string,
  verdict?: Verdict,
): Promise<string> {
  const text = await producer.responseText(await readKeptJob(producer, id, shownId));
  if (!verdict) return text;
  const headstone = JSON.parse(membersOf(text).get('headstone') ?? '{}') as object;
  return withMembers(text, { headstone: JSON.stringify({ ...headstone, verdict }) });
}

/** Sends a text that is JSON already and must not be parsed and written again. */
export function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(text);
}

/** A job under the id that its caller chose, if there is one. */
export function asChosen<Shape extends JobSummary & { ledger?: LedgerRow[] }>({ chosen_id, ...job }: Shape) {
  return { ...job, id: chosen_id ?? job.id, ...(job.ledger ? { ledger: job.ledger.map(rowAsChosen) } : {}) };
}

export function rowAsChosen({ chosen_job_id, ...row }: LedgerRow) {
  return { ...row, job_id: chosen_job_id ?? row.job_id };
}
