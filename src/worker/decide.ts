import type { UpstreamResponse } from '../shared/contract/response.ts';
import type { Decision } from '../shared/store/lua/decide.ts';
import { type Activation, type Context, done } from './context.ts';
import { resultBody } from './seen.ts';

/** Brings a decision to the record. Whoever comes first has won, so "already" is an answer and not an error (I2). */
export async function decide(
  id: string,
  decision: Decision,
  { store, telemetry }: Context,
  result?: UpstreamResponse,
): Promise<Activation> {
  const reply = await store.run('decide', { id, ...decision }, result ? resultBody(result) : '');
  if (reply.reply === 'already') return done(`already ${reply.status}`);
  if (reply.reply !== 'decided') return done(reply.reply);
  await store.untilDurable();
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
