import type { ChargeArguments } from '../shared/store/lua/charge.ts';
import type { ReplyOf } from '../shared/store/scripts.ts';
import type { Context } from './context.ts';

export interface Known {
  job_id: string;
  model: string;
  response_id: string;
}

/** Books what was learned of a response, and tells when it is a result that nobody wants any more (I8). */
export async function chargeRow(
  { job_id, model, response_id }: Known,
  learned: Pick<ChargeArguments, 'seen' | 'cancel_acknowledged' | 'window_ms'>,
  { store, telemetry }: Context,
): Promise<ReplyOf<'charge'>> {
  const reply = await store.run('charge', { response_id, ...learned });
  if (reply.reply === 'charged' && reply.flipped)
    telemetry.emit('late_result_dropped', { job_id, model, response_id, upstream_status: reply.upstream_status ?? '' });
  return reply;
}
