import { upstreamFinalStatuses } from '../shared/contract/response.ts';
import { type Activation, type Context, done, parkFor } from './context.ts';
import { launchNamedBy } from './named-launch.ts';
import { observe } from './observation.ts';

const RETRY_MS = 15_000;

/**
 * Finds out whose a response is of which only a webhook knows. If its metadata names a launch of this deployment whose answer
 * was lost, the launch gets it: its job goes on with it, or it is settled as an orphan (I3, I4). Any other response is left alone.
 */
export async function meetStranger(responseId: string, context: Context): Promise<Activation> {
  const { store, lanes, upstream, deployment, configuration, telemetry, stopping } = context;
  const place = store.keys.stranger(responseId);
  // Without a mark nobody has asked for it: its row has expired.
  if ((await store.ask(client => client.exists(place))) === 0) return done('no row');
  const answer = await upstream.retrieve(responseId, { signal: stopping, include: [] });
  // The mark expires, and with it these tries.
  if (answer.kind !== 'found') return parkFor(RETRY_MS);
  await store.ask(client => client.del(place));
  const launch = launchNamedBy(answer.response, deployment);
  if (!launch) return done('not of this deployment');
  const lane = await lanes.laneOf(launch.id);
  const record = await lane.record(launch.id);
  const model = record?.model ?? '';
  const observation = observe({ ...answer, model, completionWindow: record?.completion_window }, configuration.prices);
  const hasEnded = upstreamFinalStatuses.has(answer.response.status);
  const given = {
    ...launch,
    response_id: responseId,
    observation,
    first_poll_ms: hasEnded ? 0 : configuration.pollMinMs,
  };
  const claimed = await lane.run('claim', given);
  if (claimed.reply === 'copied') return done('of no launch of this deployment');
  telemetry.emit('response_found', { job_id: launch.id, model, response_id: responseId });
  await lane.outbox.carryOutQuietly(claimed.work);
  return done(`of job ${launch.id}`);
}
