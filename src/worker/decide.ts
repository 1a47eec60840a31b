import type { Decision } from '../shared/store/lua/decide.ts';
import { chargeRow } from './charge-row.ts';
import { type Activation, type Context, done } from './context.ts';
import { resultBody } from './seen.ts';

/** Brings a decision to the record. Whoever comes first has won, so "already" is an answer and not an error (I2). */
export async function decide(
  id: string,
  decision: Decision,
  context: Context,
  result?: Record<string, unknown>,
): Promise<Activation> {
  const { store, telemetry } = context;
  const reply = await store.run('decide', { id, ...decision }, result ? resultBody(result) : '');
  if (reply.reply !== 'decided') {
    // Too late for the outcome, and not for the ledger (I8).
    if ('seen' in decision && decision.seen && decision.response_id !== undefined)
      await chargeRow(
        { job_id: id, model: decision.seen.served_model ?? '', response_id: decision.response_id },
        { seen: decision.seen },
        context,
      );
    if (reply.reply === 'already') await store.untilDurable({ id, status: reply.status });
    return done(reply.reply === 'already' ? `already ${reply.status}` : reply.reply);
  }
  await store.untilDurable({ id, status: decision.status });
  telemetry.emit('job_decided', {
    job_id: id,
    model: reply.model,
    outcome: decision.status,
    ...('code' in decision ? { code: decision.code } : {}),
  });
  await store.followQuietly(reply.work);
  return done(decision.status);
}

/** The job's own time is over: the same tombstone as a cancel's, with another cause (I10). Null: only our clock says so (I15). */
export async function expire(id: string, context: Context): Promise<Activation | null> {
  const activation = await decide(id, { status: 'expired', cause: 'expired' }, context);
  return activation.kind === 'done' && activation.summary === 'early' ? null : activation;
}
