import type { ChargeArguments } from '../shared/store/lua/charge.ts';
import type { Decision } from '../shared/store/lua/decide.ts';
import type { ReplyOf } from '../shared/store/scripts.ts';
import { type Activation, type Context, done } from './context.ts';
import { resultBody } from './result-body.ts';

interface Circumstances {
  /** The provider's body, unchanged. */
  result?: string;
  /** The worker's lock on the entry of the poll that brings the decision. The entry ends with it. */
  pollLock?: string | undefined;
}

/** Writes a decision to the record. The first decision wins, so "already" is an answer and not an error (I2). */
export async function decide(
  id: string,
  decision: Decision,
  context: Context,
  circumstances: Circumstances = {},
): Promise<Activation> {
  const reply = await write(id, decision, context, circumstances);
  return reply.reply === 'decided' && reply.entry_ended ? { kind: 'ended' } : done(summaryOf(reply, decision));
}

/** Does the same for a decision that holds only under a condition. Null if that is no longer so (I7). */
export async function decideUnlessStale(id: string, decision: Decision, context: Context): Promise<Activation | null> {
  const reply = await write(id, decision, context);
  return reply.reply === 'stale' ? null : done(summaryOf(reply, decision));
}

/** Ends a job whose deadline has passed, by the same tombstone as a cancel (I10). Null if only this machine's clock says so (I15). */
export async function expire(id: string, context: Context): Promise<Activation | null> {
  const decision = { status: 'expired', cause: 'expired' } as const;
  const reply = await write(id, decision, context);
  return reply.reply === 'early' ? null : done(summaryOf(reply, decision));
}

export interface KnownResponse {
  job_id: string;
  model: string;
  response_id: string;
}

/** Books what was learned about a response, and reports a result that nobody wants any more (I8). */
export async function charge(
  { job_id, model, response_id }: KnownResponse,
  learned: Omit<ChargeArguments, 'response_id'>,
  { store, telemetry }: Context,
): Promise<ReplyOf<'charge'>> {
  const reply = await store.run('charge', { response_id, ...learned });
  if (reply.reply === 'charged') await store.outbox.carryOutQuietly(reply.work);
  if (reply.reply === 'charged' && reply.flipped)
    telemetry.emit('late_result_dropped', { job_id, model, response_id, upstream_status: reply.upstream_status ?? '' });
  return reply;
}

async function write(
  id: string,
  decision: Decision,
  context: Context,
  { result, pollLock }: Circumstances = {},
): Promise<ReplyOf<'decide'>> {
  const { store, telemetry } = context;
  const reply = await store.run(
    'decide',
    { id, ...decision, poll_lock: pollLock },
    result === undefined ? '' : resultBody(result),
  );
  if (reply.reply === 'decided') {
    // Nothing is acknowledged here. The replicas are waited for when a result is read or an outcome is reported (I1).
    const code = 'code' in decision ? { code: decision.code } : {};
    telemetry.emit('job_decided', { job_id: id, model: reply.model, outcome: decision.status, ...code });
    await store.outbox.carryOutQuietly(reply.work);
  } else if ('observation' in decision && decision.observation && decision.response_id !== undefined) {
    // It is too late for the outcome, but not for the ledger (I8).
    const { observation, response_id } = decision;
    await charge({ job_id: id, model: observation.served_model ?? '', response_id }, { observation }, context);
  }
  return reply;
}

function summaryOf(reply: ReplyOf<'decide'>, { status }: Decision): string {
  if (reply.reply === 'decided') return status;
  return reply.reply === 'already' ? `already ${reply.status}` : reply.reply;
}
