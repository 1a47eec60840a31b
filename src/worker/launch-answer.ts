import type { LaunchAnswer } from '../provider/answers.ts';
import { upstreamFinalStatuses } from '../shared/contract/response.ts';
import type { Came, CostBound, Observation } from '../shared/store/lua/shapes.ts';
import type { ReplyOf } from '../shared/store/scripts.ts';
import { conclude, resultOf } from './conclude.ts';
import { type Activation, type Context, done } from './context.ts';
import { insist } from './insist.ts';
import { launchElsewhere } from './named-launch.ts';
import { observe } from './observation.ts';
import { isOnlyTenant } from './only-tenant.ts';
import { reportHold } from './report-hold.ts';
import { resultBody } from './result-body.ts';
import { followStream } from './stream-follower.ts';
import { resolveUnknown } from './unknown-launch.ts';

export interface Intent {
  id: string;
  epoch: number;
  model: string;
  /** Null if nothing bounds what the response can cost. */
  bound: CostBound | null;
  /** The fields that its reads have to ask for again. */
  include: string[];
  completionWindow: string | undefined;
  /** The worker's lock on the launch's entry. The entry ends in the step that records the response, if nothing is left to do then. */
  lock: string | undefined;
}

type Acknowledged = Extract<LaunchAnswer, { kind: 'acknowledged' }>;
type Refused = Extract<LaunchAnswer, { kind: 'refused' }>;

/** Writes what came of the POST, and insists on it: an id or a certain refusal must reach the record. */
export async function recordAnswer(answer: LaunchAnswer, intent: Intent, context: Context): Promise<Activation> {
  switch (answer.kind) {
    case 'acknowledged':
      if (await belongsElsewhere(answer, intent, context)) return await recordForeign(answer, intent, context);
      return await recordAcknowledged(answer, intent, context);
    case 'refused':
      return await recordRefused(answer, intent, context);
    case 'unknown':
      await resolveUnknown(intent.id, intent.epoch, { ...answer, witnessed: true }, context);
      return done('launch unknown');
  }
}

/**
 * True if a caching gateway answered this create with the response of a job in another lane, which has it now. Whoever sent that
 * create may have died before it recorded the answer, so its job takes the response here (I3). If it does not want it, the
 * response is recorded like any other.
 */
async function belongsElsewhere(
  { response, servedModel }: Acknowledged,
  intent: Intent,
  context: Context,
): Promise<boolean> {
  const elsewhere = await insist(() => launchElsewhere(response, intent.id, context), context);
  if (!elsewhere) return false;
  const { launch, lane } = elsewhere;
  const { configuration } = context;
  const { model, completionWindow } = intent;
  const observation = observe({ response, servedModel, model, completionWindow }, configuration.prices);
  const given = { ...launch, response_id: response.id, observation, first_poll_ms: configuration.pollMinMs };
  const claimed = await insist(() => lane.run('claim', given), context);
  if (claimed.reply === 'claimed') await lane.outbox.carryOutQuietly(claimed.work);
  return claimed.reply === 'claimed' || (await insist(() => lane.row(response.id), context)) !== null;
}

async function recordForeign(
  { response, stream }: Acknowledged,
  { id, epoch, model }: Intent,
  context: Context,
): Promise<Activation> {
  const { store, telemetry } = context;
  const code = 'response_of_another_job';
  const message = 'The response of this launch belongs to another job. A caching gateway answered two creates with it.';
  stream?.close();
  const given = { id, epoch, how: 'refused', next: 'failed', code, message } as const;
  const reply = await insist(() => store.run('resolve', given), context);
  telemetry.emit('response_unwanted', { job_id: id, model, response_id: response.id, cause: 'orphaned' });
  if (reply.reply === 'failed') telemetry.emit('job_decided', { job_id: id, model, outcome: 'failed', code });
  await store.outbox.carryOutQuietly(reply.work);
  return done('the response of another job');
}

async function recordAcknowledged(answer: Acknowledged, intent: Intent, context: Context): Promise<Activation> {
  const { store, configuration, telemetry } = context;
  const { id, epoch, model, completionWindow } = intent;
  const { response, servedModel, stream } = answer;
  const facts = { job_id: id, model, response_id: response.id };
  const observation = observe({ response, servedModel, model, completionWindow }, configuration.prices);
  let reply: ReplyOf<'acknowledge'>;
  try {
    reply = await insist(() => acknowledge(answer, intent, observation, context), context);
  } catch (error) {
    telemetry.emit('launch_unrecorded', { ...facts, epoch });
    throw error;
  }
  telemetry.emit('launch_acknowledged', { ...facts, epoch });
  if (reply.reply === 'ended') telemetry.emit('job_decided', { job_id: id, model, outcome: reply.status });
  if (reply.reply === 'unwanted') telemetry.emit('response_unwanted', { ...facts, cause: reply.cause });
  if (reply.reply !== 'running') stream?.close();
  else if (stream) {
    const job = { id, model, responseId: response.id, include: intent.include, own: intent.include, completionWindow };
    context.streams.follow(id, decided => followStream(job, stream, decided, context));
  }
  await store.outbox.carryOutQuietly(reply.work);
  switch (reply.reply) {
    case 'ended':
      return reply.entry_ended ? { kind: 'ended' } : done(reply.status);
    case 'unwanted':
      return done(`unwanted: ${reply.cause}`);
    case 'running':
      if (endedWithoutResult(answer)) return await concludeAtOnce(answer, intent, observation, context);
      return reply.entry_ended ? { kind: 'ended' } : done(`acknowledged ${response.id}`);
  }
}

/** True if the answer to the create says that the response has ended, and has no result. What follows is the launch's work too. */
function endedWithoutResult({ response, text, stream }: Acknowledged): boolean {
  return !stream && upstreamFinalStatuses.has(response.status) && !resultOf({ response, text: text ?? '' });
}

async function acknowledge(
  answer: Acknowledged,
  { id, epoch, bound, lock }: Intent,
  observation: Observation,
  { store, pace }: Context,
): Promise<ReplyOf<'acknowledge'>> {
  const { response, text, stream } = answer;
  // A gateway that ignores `background` has run it already, and may know nothing of it when it is asked again.
  const result = stream ? null : resultOf({ response, text: text ?? '' });
  const given = {
    id,
    epoch,
    response_id: response.id,
    first_poll_ms: pace.pollMinMs,
    bound: bound ?? undefined,
    observation,
    outcome: result ? { ...result, observation } : undefined,
    launch_lock: endedWithoutResult(answer) ? undefined : lock,
  };
  return await store.run('acknowledge', given, result && text ? resultBody(text) : '');
}

/** The response ended without a result in the answer to its create. A later GET may not find it again. */
async function concludeAtOnce(
  { response, text = '' }: Acknowledged,
  { id }: Intent,
  observation: Observation,
  context: Context,
): Promise<Activation> {
  const record = await insist(() => context.store.record(id), context);
  if (record?.status !== 'running' || record.response_id !== response.id) return done('decided meanwhile');
  return await conclude({ record, responseId: response.id, found: { response, text }, observation }, context);
}

async function recordRefused(answer: Refused, { id, epoch, model }: Intent, context: Context): Promise<Activation> {
  const { store, telemetry } = context;
  const { code, httpStatus, message, type, param } = answer;
  const http_status = httpStatus ?? undefined;
  const next =
    answer.next === 'failed'
      ? { next: answer.next }
      : { next: answer.next, due_in_ms: 0, hold: { ...answer.hold, code, http_status } };
  const is_only_tenant = answer.next === 'failed' ? undefined : await isOnlyTenant(id, context);
  const given = {
    id,
    epoch,
    how: 'refused' as const,
    came: cameOf(answer),
    code,
    message,
    is_only_tenant,
    refusal: { http_status, type, param },
    ...next,
  };
  const reply = await insist(() => store.run('resolve', given), context);
  // The record may know that this job alone is refused. Then the job has failed.
  const outcome = answer.next === 'failed' || reply.reply === 'failed' ? 'failed' : 'queued';
  telemetry.emit('launch_refused', { job_id: id, model, epoch, code, http_status: httpStatus, next: outcome });
  if (reply.reply === 'failed') telemetry.emit('job_decided', { job_id: id, model, outcome: 'failed', code });
  const kind = answer.next === 'queued' ? answer.hold.kind : 'alarm';
  reportHold(reply, { code, kind }, telemetry);
  await store.outbox.carryOutQuietly(reply.work);
  return done(`refused: ${code}`);
}

/** What a refusal shows of the way to the provider, whatever it refuses. */
function cameOf(answer: Refused): Came {
  if (answer.httpStatus === null) return 'nowhere';
  const isAtTheDoor = answer.next === 'queued' && (answer.hold.of === 'access' || answer.code === 'no_such_url');
  return isAtTheDoor ? 'answer' : 'entry';
}
