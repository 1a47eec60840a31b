import { upstreamFinalStatuses } from '../shared/contract/response.ts';
import type { Lane } from '../shared/store/lane.ts';
import { type Activation, type Context, done, parkFor } from './context.ts';
import { launchNamedBy } from './named-launch.ts';
import { observe } from './observation.ts';

/** How long the provider has to answer 404 before it is believed. */
const ABSENT_MS = 60_000;
const FIRST_RETRY_MS = 15_000;

/**
 * Finds out whose a response is of which only a webhook knows. If its metadata names a launch of this deployment whose answer
 * was lost, the launch gets it: its job goes on with it, or it is settled as an orphan (I3, I4). Any other response is left alone.
 */
export async function meetStranger(responseId: string, context: Context): Promise<Activation> {
  const { store, lanes, upstream, deployment, configuration, telemetry, stopping } = context;
  const place = store.keys.stranger(responseId);
  // Without a mark nobody has asked for it: its row has expired.
  const markedAt = await store.ask(client => client.get(place));
  if (markedAt === null) return done('no row');
  const forget = async (why: string) => {
    await store.ask(client => client.del(place));
    return done(why);
  };
  const answer = await upstream.retrieve(responseId, { signal: stopping, include: [] });
  const elapsedMs = store.now() - Number(markedAt);
  if (answer.kind === 'absent' && elapsedMs >= ABSENT_MS) return await forget('not found at the provider');
  // The wait doubles, and the mark expires, and with it these tries.
  if (answer.kind !== 'found') return parkFor(Math.max(FIRST_RETRY_MS, elapsedMs));
  const launch = launchNamedBy(answer.response, deployment);
  if (!launch) return await forget('not of this deployment');
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
  if (claimed.reply === 'copied') return await forget('of no launch of this deployment');
  telemetry.emit('response_found', { job_id: launch.id, model, response_id: responseId });
  await lane.outbox.carryOutQuietly(claimed.work);
  // Its job may have learned the id by itself meanwhile, and wait for its next poll.
  await pollNow(launch.id, lane);
  return await forget(`of job ${launch.id}`);
}

/** Brings the poll of a job forward, if it has one. */
export async function pollNow(id: string, lane: Lane): Promise<void> {
  const now = lane.now();
  if (await lane.queues.isKept('poll', id))
    await lane.queues.ensure({ queue: 'poll', id, dueAt: now, priority: 0 }, now);
}
