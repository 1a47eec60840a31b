import { isOutcome } from '../shared/contract/words.ts';
import type { JobRecord } from '../shared/store/record.ts';
import type { Look } from './answers.ts';
import { chargeRow } from './charge-row.ts';
import { type Activation, type Context, done, parkFor } from './context.ts';
import { decide, expire } from './decide.ts';
import { identify } from './identify.ts';
import { seenOf } from './seen.ts';
import { holdStream, LIVE_MS } from './stream.ts';
import { parkUntilNextLook, takeIn } from './take-in.ts';

/** A 404 on an id that the upstream gave us itself must stay for so long before we believe it. */
const ABSENT_MS = 60_000;

/** Between two looks whether somebody still listens. */
const FOLLOWED_MS = 30_000;

/** One look at an open job: its deadline, its grace, its response. */
export async function poll(id: string, context: Context): Promise<Activation> {
  const record = await context.store.record(id);
  if (!record) return done('missing');
  if (isOutcome(record.status)) return done(`already ${record.status}: nothing done`);
  if (record.deadline_at <= context.store.now()) {
    const expired = await expire(id, context);
    if (expired) return expired;
  }
  if (record.status === 'launching') return await pollIntent(record, context);
  if (record.status === 'queued') return done('queued again');
  if (await isFollowed(record, context))
    return parkFor(Math.min(FOLLOWED_MS, record.deadline_at - context.store.now()));
  return await context.holding.hold(id, async decided => await look(record, decided, context));
}

/** True where a worker listens to the response's stream: it decides, and knows sooner. One that nobody holds is taken up. */
async function isFollowed(
  { id, model, stream, include, completion_window: completionWindow, response_id: responseId }: JobRecord,
  context: Context,
): Promise<boolean> {
  const { store, streams, stopping } = context;
  if (stream !== 'live' || responseId === undefined || stopping.aborted) return false;
  const seenAt = await store.client.zscore(store.keys.streams(), id);
  if (seenAt !== null && Number(seenAt) > store.now() - LIVE_MS) return true;
  if (streams.holds(id)) return true;
  if (streams.isFull()) return false;
  streams.hold(id, decided =>
    holdStream({ id, model, responseId, include, completionWindow }, undefined, decided, context),
  );
  return true;
}

async function look(record: JobRecord, decided: AbortSignal, context: Context): Promise<Activation> {
  const { id, model, response_id: responseId } = record;
  if (responseId === undefined) throw new Error('A running job has no response.');
  const answer = await context.upstream.retrieve(responseId, { signal: decided, include: record.include });
  if (decided.aborted) {
    // Decided while we looked: what was seen still belongs in the ledger (I3).
    if (answer.kind === 'seen')
      await chargeRow(
        { job_id: id, model, response_id: responseId },
        {
          seen: seenOf({ ...answer, model, completionWindow: record.completion_window }, context.configuration.prices),
        },
        context,
      );
    return context.stopping.aborted ? parkFor(0) : await poll(id, context);
  }
  const facts = { job_id: id, model, response_id: responseId };
  switch (answer.kind) {
    case 'absent':
      return await whileAbsent(record, responseId, context);
    case 'failed': {
      const dueInMs = Math.max(answer.retryAfterMs ?? 0, parkUntilNextLook(record, context));
      context.telemetry.emit('poll_failed', { ...facts, code: answer.code, retry_in_ms: dueInMs });
      return parkFor(dueInMs);
    }
    case 'seen':
      if (record.missing_since !== undefined)
        await context.store.run('absent', { id, response_id: responseId, absent: false });
      context.telemetry.emit('poll_looked', { ...facts, upstream_status: answer.response.status });
      return await takeInOwn(record, responseId, answer, context);
  }
}

async function takeInOwn(
  record: JobRecord,
  responseId: string,
  look: Extract<Look, { kind: 'seen' }>,
  context: Context,
): Promise<Activation> {
  const { model, completion_window: completionWindow } = record;
  const seen = seenOf({ ...look, model, completionWindow }, context.configuration.prices);
  const own = await identify(record, responseId, look, seen, context);
  return own ? await takeIn(own, responseId, look, seen, context) : done('the response of another job');
}

async function whileAbsent(record: JobRecord, responseId: string, context: Context): Promise<Activation> {
  const { for_ms } = await context.store.run('absent', { id: record.id, response_id: responseId, absent: true });
  if (for_ms < ABSENT_MS) {
    const dueInMs = parkUntilNextLook(record, context);
    context.telemetry.emit('poll_failed', {
      job_id: record.id,
      model: record.model,
      response_id: responseId,
      code: 'http_404',
      retry_in_ms: dueInMs,
    });
    return parkFor(dueInMs);
  }
  const message = `The provider has answered 404 for this response for ${Math.round(for_ms / 1000)} s.`;
  const { id, model } = record;
  const code = 'response_not_found';
  const activation = await decide(id, { status: 'failed', response_id: responseId, code, message }, context);
  // It is believed, so nobody looks for its usage any more: the row is unknown from now on.
  await chargeRow({ job_id: id, model, response_id: responseId }, { window_ms: 0 }, context);
  return activation;
}

/** A launch without an answer: its grace runs, and then the job fails, or starts again where it chose so itself (I6). */
async function pollIntent(record: JobRecord, context: Context): Promise<Activation> {
  const { store, configuration, telemetry } = context;
  const { id, epoch = 0 } = record;
  if (record.unknown_at === undefined) return await pollSilentIntent(record, context);
  const grace_ms = configuration.unknownGraceMs;
  const reply = await store.run('rerun', { id, epoch, code: 'launch_unknown', due_in_ms: 0, grace_ms });
  if (reply.reply === 'stale') return done('stale');
  if (reply.reply === 'early') return parkFor(Math.min(reply.in_ms, record.deadline_at - store.now()));
  if (reply.reply === 'queued') {
    telemetry.emit('run_repeated', { job_id: id, model: record.model, response_id: '', code: 'launch_unknown' });
    await store.outbox.followQuietly(reply.work);
    return done('queued again');
  }
  const says = record.unknown_says
    ? `The provider's answer to the create had no id, and said: ${record.unknown_says} `
    : '';
  const message = `${says || 'The create was sent and no answer came back. '}The provider may have run and billed it: a retry may pay twice.`;
  return await decide(id, { status: 'failed', epoch, code: 'launch_unknown', message }, context);
}

/** The patrol found an intent whose launch entry is gone. A create has its own time-out, so a silent one is over. */
async function pollSilentIntent(record: JobRecord, context: Context): Promise<Activation> {
  const { store, configuration } = context;
  const { id, epoch = 0, intended_at: intendedAt = 0 } = record;
  // A worker still waits for its answer: a streamed create may be without an id for minutes.
  if (await store.queues.isLocked('launch', id)) return parkFor(configuration.lockMs);
  const silentMs = store.now() - intendedAt;
  const patienceMs = configuration.launchTimeoutMs + 2 * configuration.lockMs;
  if (silentMs < patienceMs) return parkFor(patienceMs - silentMs);
  const reply = await store.run('resolve', {
    id,
    epoch,
    how: 'unknown',
    code: 'worker_lost',
    grace_ms: configuration.unknownGraceMs,
    witnessed: false,
  });
  await store.outbox.clear(reply.work);
  return parkFor(configuration.unknownGraceMs);
}
