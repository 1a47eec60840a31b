import type { UpstreamResponse } from '../shared/contract/response.ts';
import type { Observation } from '../shared/store/lua/shapes.ts';
import type { JobRecord } from '../shared/store/record.ts';
import type { Context } from './context.ts';
import { charge } from './decide.ts';
import { giveBack } from './give-back.ts';
import { launchNamedBy } from './named-launch.ts';

/**
 * Finds out, before anything of an adopted response is shown, which model it is of and whether a launch of this deployment
 * made it. Returns the record as it is now; null if the response belongs to another job, whose outcome stands (I1).
 */
export async function identify(
  record: JobRecord,
  response: UpstreamResponse,
  observation: Observation,
  context: Context,
): Promise<JobRecord | null> {
  if (record.adopted === undefined || record.identified !== undefined) return record;
  if (await giveBack(record.id, response, observation, context)) return null;
  const { store, configuration, telemetry, deployment } = context;
  const { id, model, response_id: responseId = response.id } = record;
  const reply = await store.run('identify', {
    id,
    response_id: responseId,
    launch: launchNamedBy(response, deployment),
    observation,
    first_poll_ms: configuration.pollMinMs,
  });
  if (reply.reply === 'own') return { ...record, model: reply.model };
  if (reply.reply === 'foreign') {
    const code = 'response_of_another_job';
    telemetry.emit('job_decided', { job_id: id, model: reply.model, outcome: 'failed', code });
    await store.outbox.carryOutQuietly(reply.work);
  }
  // The job was decided meanwhile, but what was observed belongs in the ledger (I3).
  if (reply.reply === 'stale') await charge({ job_id: id, model, response_id: responseId }, { observation }, context);
  return null;
}
