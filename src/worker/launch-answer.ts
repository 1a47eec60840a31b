import type { Most } from '../shared/store/lua/shapes.ts';
import type { ReplyOf } from '../shared/store/scripts.ts';
import type { LaunchAnswer } from './answers.ts';
import { type Activation, type Context, done } from './context.ts';
import { insist } from './insist.ts';
import { reportHold } from './report-hold.ts';
import { seenOf } from './seen.ts';
import { holdStream } from './stream.ts';

export interface Intent {
  id: string;
  epoch: number;
  model: string;
  /** The most that its response can cost. */
  most: Most | null;
}

/** Writes what came of the POST, and insists on it: an id or a certain refusal must reach the record. */
export async function recordAnswer(answer: LaunchAnswer, intent: Intent, context: Context): Promise<Activation> {
  switch (answer.kind) {
    case 'launched':
      return await recordLaunched(answer, intent, context);
    case 'refused':
      return await recordRefused(answer, intent, context);
    case 'unknown':
      await resolveUnknown(intent.id, intent.epoch, { code: answer.code, witnessed: true }, context);
      return done('launch unknown');
  }
}

async function recordLaunched(
  answer: Extract<LaunchAnswer, { kind: 'launched' }>,
  { id, epoch, model, most }: Intent,
  context: Context,
): Promise<Activation> {
  const { store, configuration, telemetry } = context;
  const facts = { job_id: id, model, response_id: answer.response.id, epoch };
  let reply: ReplyOf<'launched'>;
  try {
    reply = await insist(
      () =>
        store.run('launched', {
          id,
          epoch,
          response_id: answer.response.id,
          first_poll_ms: configuration.pollMinMs,
          ...(most ? { most } : {}),
          seen: seenOf({ response: answer.response, servedModel: answer.servedModel, model }, configuration.prices),
        }),
      context,
    );
  } catch (error) {
    telemetry.emit('launch_unrecorded', facts);
    throw error;
  }
  telemetry.emit('launch_acknowledged', facts);
  const { stream } = answer;
  if (stream && reply.reply === 'running')
    context.streams.hold(id, decided =>
      holdStream({ id, model, responseId: answer.response.id }, stream, decided, context),
    );
  else stream?.close();
  if (reply.reply === 'unwanted')
    telemetry.emit('response_unwanted', { job_id: id, model, response_id: answer.response.id, cause: reply.cause });
  await store.outbox.followQuietly(reply.work);
  return done(reply.reply === 'running' ? `launched ${answer.response.id}` : `unwanted: ${reply.cause}`);
}

async function recordRefused(
  answer: Extract<LaunchAnswer, { kind: 'refused' }>,
  { id, epoch, model }: Intent,
  context: Context,
): Promise<Activation> {
  const { store, telemetry } = context;
  const { code, httpStatus } = answer;
  const facts = { job_id: id, model, epoch, code, http_status: httpStatus, next: answer.next };
  if (answer.next === 'failed') {
    const { message } = answer;
    const reply = await insist(
      () => store.run('resolve', { id, epoch, how: 'refused', next: 'failed', code, message }),
      context,
    );
    telemetry.emit('launch_refused', facts);
    if (reply.reply === 'failed') telemetry.emit('job_decided', { job_id: id, model, outcome: 'failed', code });
    await store.outbox.followQuietly(reply.work);
    return done(`refused: ${code}`);
  }
  const scope = answer.hold.of === 'account' ? 'account' : `model:${model}`;
  const hold = { scope, kind: answer.hold.kind, code, for_ms: answer.hold.forMs };
  const reply = await insist(
    () => store.run('resolve', { id, epoch, how: 'refused', next: 'queued', code, due_in_ms: 0, hold }),
    context,
  );
  telemetry.emit('launch_refused', facts);
  reportHold(reply, code, telemetry);
  return done(`held: ${scope}`);
}

export async function resolveUnknown(
  id: string,
  epoch: number,
  { code, witnessed }: { code: string; witnessed: boolean },
  context: Context,
): Promise<void> {
  const { store, configuration, telemetry } = context;
  const grace_ms = configuration.unknownGraceMs;
  const reply = await insist(
    () => store.run('resolve', { id, epoch, how: 'unknown', code, grace_ms, witnessed }),
    context,
  );
  telemetry.emit('launch_unknown', { job_id: id, epoch, code, grace_ms });
  reportHold(reply, code, telemetry);
  await store.outbox.followQuietly(reply.work);
}
