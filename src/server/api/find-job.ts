import type { FastifyReply } from 'fastify';
import type { Producer } from '../../producer/producer.ts';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import type { Job, JobSummary } from '../../shared/contract/job.ts';
import type { LedgerRow } from '../../shared/contract/ledger.ts';
import type { Verdict } from '../../shared/contract/words.ts';
import { membersOf, withMembers } from '../../shared/runtime/json-members.ts';
import type { Located } from '../../shared/store/locate.ts';
import type { Caller } from '../access/sign-in.ts';

/** The caller's own job, by the id that they know it by. Another tenant's is as absent as one that never was (I12). */
export async function locateJob(producer: Producer, id: string, { tenant, admin }: Caller): Promise<Located> {
  const located = await producer.locate(id, { tenant, seesAll: admin });
  if (!located) throw notFound(id);
  return located;
}

export async function findJob(producer: Producer, id: string, caller: Caller): Promise<Job> {
  const located = await locateJob(producer, id, caller);
  const job = await producer.get(located.id);
  if (!job) throw notFound(id);
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

/** What OpenAI's clients see of a job, as JSON; after a cancel, with its verdict. */
export async function showResponse(producer: Producer, id: string, caller: Caller, verdict?: Verdict): Promise<string> {
  const text = await producer.responseText(await findKeptJob(producer, id, caller));
  if (!verdict) return text;
  const headstone = JSON.parse(membersOf(text).get('headstone') ?? '{}') as object;
  return withMembers(text, { headstone: JSON.stringify({ ...headstone, verdict }) });
}

/** Sends what is JSON already, and must not be read and written again. */
export function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(text);
}

export function notFound(id: string): HeadstoneError {
  return new HeadstoneError('job_not_found', `Response with id '${id}' not found.`);
}

/** A job as it is seen from outside: under the id that its caller chose, where they chose one. */
export function asChosen<Shape extends JobSummary & { ledger?: LedgerRow[] }>({ chosen_id, ...job }: Shape) {
  return { ...job, id: chosen_id ?? job.id, ...(job.ledger ? { ledger: job.ledger.map(rowAsChosen) } : {}) };
}

export function rowAsChosen({ chosen_job_id, ...row }: LedgerRow) {
  return { ...row, job_id: chosen_job_id ?? row.job_id };
}
