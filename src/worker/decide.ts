import type { Decision } from '../shared/store/lua/decide.ts';
import type { ReplyOf } from '../shared/store/scripts.ts';
import { chargeRow } from './charge-row.ts';
import { type Activation, type Context, done } from './context.ts';
import { resultBody } from './seen.ts';

/** Brings a decision to the record. Whoever comes first has won, so "already" is an answer and not an error (I2). */
export async function decide(
  id: string,
  decision: Decision,
  context: Context,
  /** The provider's body of a result, as it came. */
  result?: string,
): Promise<Activation> {
  return done(summaryOf(await bring(id, decision, context, result), decision));
}

/** The job's own time is over: the same tombstone as a cancel's, with another cause (I10). Null: only our clock says so (I15). */
export async function expire(id: string, context: Context): Promise<Activation | null> {
  const decision = { status: 'expired', cause: 'expired' } as const;
  const reply = await bring(id, decision, context);
  return reply.reply === 'early' ? null : done(summaryOf(reply, decision));
}

async function bring(id: string, decision: Decision, context: Context, result?: string): Promise<ReplyOf<'decide'>> {
  const { store, telemetry } = context;
  const reply = await store.run('decide', { id, ...decision }, result === undefined ? '' : resultBody(result));
  if (reply.reply === 'decided') {
    // Nothing is acknowledged here: whoever reads a result, or is told of an outcome, waits for the replicas then (I1).
    const code = 'code' in decision ? { code: decision.code } : {};
    telemetry.emit('job_decided', { job_id: id, model: reply.model, outcome: decision.status, ...code });
    await store.outbox.followQuietly(reply.work);
  } else if ('seen' in decision && decision.seen && decision.response_id !== undefined) {
    // Too late for the outcome, and not for the ledger (I8).
    const known = { job_id: id, model: decision.seen.served_model ?? '', response_id: decision.response_id };
    await chargeRow(known, { seen: decision.seen }, context);
  }
  return reply;
}

function summaryOf(reply: ReplyOf<'decide'>, { status }: Decision): string {
  if (reply.reply === 'decided') return status;
  return reply.reply === 'already' ? `already ${reply.status}` : reply.reply;
}
