import type { UpstreamResponse } from '../shared/contract/response.ts';
import type { Observation } from '../shared/store/lua/shapes.ts';
import type { Context } from './context.ts';
import { launchElsewhere } from './named-launch.ts';

/**
 * Gives an adopted response back to the job in another lane whose launch made it (I1, I3). At first that job takes it, then the
 * adopter lets it go: if this process dies in between, the next look at the response does both again, and each is harmless
 * twice. False if no launch made it.
 */
export async function giveBack(
  adopterId: string,
  response: UpstreamResponse,
  observation: Observation,
  context: Context,
): Promise<boolean> {
  const { store, lanes, configuration, telemetry } = context;
  const elsewhere = await launchElsewhere(response, adopterId, context);
  if (!elsewhere) return false;
  const { launch, lane } = elsewhere;
  const adopter = await store.record(adopterId);
  if (adopter?.adopted === undefined) return false;
  const claimed = await lane.run('claim', {
    ...launch,
    response_id: response.id,
    observation,
    first_poll_ms: configuration.pollMinMs,
  });
  if (claimed.reply === 'copied') return false;
  await lane.outbox.carryOutQuietly(claimed.work);
  const owner = await lanes.record(launch.id);
  const given = await store.run('give_back', {
    id: adopterId,
    response_id: response.id,
    // The message must not name another tenant's job (I12).
    owner: owner?.tenant === adopter.tenant ? `job ${launch.id}` : 'another job',
  });
  if (given.reply === 'kept') return false;
  await store.outbox.carryOutQuietly(given.work);
  if (given.reply === 'failed')
    telemetry.emit('job_decided', {
      job_id: adopterId,
      model: adopter.model,
      outcome: 'failed',
      code: 'response_of_another_job',
    });
  return true;
}
