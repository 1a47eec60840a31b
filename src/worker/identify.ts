import type { UpstreamResponse } from '../shared/contract/response.ts';
import type { Seen } from '../shared/store/lua/shapes.ts';
import type { JobRecord } from '../shared/store/record.ts';
import type { Look } from './answers.ts';
import { chargeRow } from './charge-row.ts';
import type { Context } from './context.ts';

/**
 * Before anything of an adopted response is shown: of which model it is, and whether a launch of our own made it. Gives the
 * record as it is now; null where the response belongs to another job, whose outcome stands (I1).
 */
export async function identify(
  record: JobRecord,
  responseId: string,
  { response }: Extract<Look, { kind: 'seen' }>,
  seen: Seen,
  context: Context,
): Promise<JobRecord | null> {
  if (record.adopted === undefined || record.identified !== undefined) return record;
  const { store, configuration, telemetry, deployment } = context;
  const launch = launchNamedBy(response, deployment);
  const { id } = record;
  const reply = await store.run('identify', {
    id,
    response_id: responseId,
    ...(launch ? { launch } : {}),
    seen,
    first_poll_ms: configuration.pollMinMs,
  });
  if (reply.reply === 'own') return { ...record, model: reply.model };
  if (reply.reply === 'foreign') {
    telemetry.emit('job_decided', {
      job_id: id,
      model: reply.model,
      outcome: 'failed',
      code: 'response_of_another_job',
    });
    await store.outbox.followQuietly(reply.work);
  }
  // Decided meanwhile: what was seen still belongs in the ledger (I3).
  if (reply.reply === 'stale')
    await chargeRow({ job_id: id, model: record.model, response_id: responseId }, { seen }, context);
  return null;
}

/** Our one metadata pair, `deployment/job/epoch`; another deployment's says nothing to us. */
function launchNamedBy(response: UpstreamResponse, deployment: string): { id: string; epoch: number } | null {
  const mark = (response.metadata as { headstone?: unknown } | null | undefined)?.headstone;
  const [, theirs, id, epoch] = (typeof mark === 'string' && /^([^/]+)\/([\w-]+)\/(\d+)$/.exec(mark)) || [];
  return theirs === deployment && id !== undefined ? { id, epoch: Number(epoch) } : null;
}
