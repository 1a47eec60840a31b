import { upstreamFinalStatuses } from '../shared/contract/response.ts';
import type { Came, Most, Seen } from '../shared/store/lua/shapes.ts';
import type { ReplyOf } from '../shared/store/scripts.ts';
import type { LaunchAnswer } from './answers.ts';
import { type Activation, type Context, done } from './context.ts';
import { insist } from './insist.ts';
import { reportHold } from './report-hold.ts';
import { resultBody, seenOf } from './seen.ts';
import { holdStream } from './stream.ts';
import { resultOf, takeIn } from './take-in.ts';

export interface Intent {
  id: string;
  epoch: number;
  model: string;
  /** The most that its response can cost. */
  most: Most | null;
  /** What its reads have to ask for again. */
  include: string[];
  completionWindow: string | undefined;
}

/** Writes what came of the POST, and insists on it: an id or a certain refusal must reach the record. */
export async function recordAnswer(answer: LaunchAnswer, intent: Intent, context: Context): Promise<Activation> {
  switch (answer.kind) {
    case 'launched':
      return await recordLaunched(answer, intent, context);
    case 'refused':
      return await recordRefused(answer, intent, context);
    case 'unknown':
      await resolveUnknown(intent.id, intent.epoch, { ...answer, witnessed: true }, context);
      return done('launch unknown');
  }
}

async function recordLaunched(
  answer: Extract<LaunchAnswer, { kind: 'launched' }>,
  { id, epoch, model, most, include, completionWindow }: Intent,
  context: Context,
): Promise<Activation> {
  const { store, configuration, telemetry } = context;
  const facts = { job_id: id, model, response_id: answer.response.id, epoch };
  const { response, servedModel } = answer;
  const seen = seenOf({ response, servedModel, model, completionWindow }, configuration.prices);
  // A gateway that ignores `background` has run it already, and may know nothing of it when it is asked again.
  const result = answer.stream ? null : resultOf(answer.response);
  const given = {
    id,
    epoch,
    response_id: answer.response.id,
    first_poll_ms: configuration.pollMinMs,
    ...(most ? { most } : {}),
    seen,
    ...(result ? { outcome: { ...result, seen } } : {}),
  };
  let reply: ReplyOf<'launched'>;
  try {
    const body = result && answer.text ? resultBody(answer.text) : '';
    reply = await insist(() => store.run('launched', given, body), context);
  } catch (error) {
    telemetry.emit('launch_unrecorded', facts);
    throw error;
  }
  telemetry.emit('launch_acknowledged', facts);
  const { stream } = answer;
  if (stream && reply.reply === 'running')
    context.streams.hold(id, decided =>
      holdStream({ id, model, responseId: answer.response.id, include, completionWindow }, stream, decided, context),
    );
  else stream?.close();
  if (reply.reply === 'ended') telemetry.emit('job_decided', { job_id: id, model, outcome: reply.status });
  if (reply.reply === 'unwanted')
    telemetry.emit('response_unwanted', { job_id: id, model, response_id: answer.response.id, cause: reply.cause });
  await store.outbox.followQuietly(reply.work);
  if (reply.reply === 'running' && !stream && upstreamFinalStatuses.has(response.status))
    return await takeInAtOnce({ id, responseId: response.id, text: answer.text ?? '' }, answer, seen, context);
  if (reply.reply === 'unwanted') return done(`unwanted: ${reply.cause}`);
  return done(reply.reply === 'ended' ? reply.status : `launched ${answer.response.id}`);
}

async function recordRefused(
  answer: Extract<LaunchAnswer, { kind: 'refused' }>,
  { id, epoch, model }: Intent,
  context: Context,
): Promise<Activation> {
  const { store, telemetry } = context;
  const { code, httpStatus, message } = answer;
  const reply = await insist(
    () => store.run('resolve', { id, epoch, how: 'refused', came: cameOf(answer), code, message, ...nextOf(answer) }),
    context,
  );
  // The record may know that this job alone is refused, and then it has failed.
  const next = answer.next === 'failed' || reply.reply === 'failed' ? 'failed' : 'queued';
  telemetry.emit('launch_refused', { job_id: id, model, epoch, code, http_status: httpStatus, next });
  if (reply.reply === 'failed') telemetry.emit('job_decided', { job_id: id, model, outcome: 'failed', code });
  reportHold(reply, code, telemetry);
  await store.outbox.followQuietly(reply.work);
  return done(`refused: ${code}`);
}

/** It ended otherwise than with a result: nothing that is read later need say so again. */
async function takeInAtOnce(
  { id, responseId, text }: { id: string; responseId: string; text: string },
  { response, servedModel }: Extract<LaunchAnswer, { kind: 'launched' }>,
  seen: Seen,
  context: Context,
): Promise<Activation> {
  const record = await insist(() => context.store.record(id), context);
  if (record?.status !== 'running' || record.response_id !== responseId) return done('decided meanwhile');
  return await takeIn(record, responseId, { kind: 'seen', response, text, servedModel }, seen, context);
}

type Unknown = Extract<LaunchAnswer, { kind: 'unknown' }>;
type Refused = Extract<LaunchAnswer, { kind: 'refused' }>;

function nextOf(answer: Refused) {
  if (answer.next === 'failed') return { next: answer.next };
  return { next: answer.next, due_in_ms: 0, hold: { ...answer.hold, code: answer.code } };
}

/** What a refusal shows of the way to the provider, whatever it refuses. */
function cameOf(answer: Refused): Came {
  if (answer.httpStatus === null) return 'nowhere';
  const isAtTheDoor = answer.next === 'queued' && (answer.hold.of === 'access' || answer.code === 'no_such_url');
  return isAtTheDoor ? 'answer' : 'entry';
}

export async function resolveUnknown(
  id: string,
  epoch: number,
  { code, httpStatus, message, witnessed }: Omit<Unknown, 'kind'> & { witnessed: boolean },
  context: Context,
): Promise<void> {
  const { store, configuration, telemetry } = context;
  const grace_ms = configuration.unknownGraceMs;
  const told = { ...(httpStatus ? { came: 'answer' as const } : {}), ...(message ? { message } : {}) };
  const reply = await insist(
    () => store.run('resolve', { id, epoch, how: 'unknown', code, grace_ms, witnessed, ...told }),
    context,
  );
  telemetry.emit('launch_unknown', { job_id: id, epoch, code, grace_ms });
  reportHold(reply, code, telemetry);
  await store.outbox.followQuietly(reply.work);
}
