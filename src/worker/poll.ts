import type { UpstreamResponse } from '../shared/contract/response.ts';
import { isOutcome } from '../shared/contract/words.ts';
import type { Seen } from '../shared/store/lua/shapes.ts';
import type { JobRecord } from '../shared/store/record.ts';
import type { Look } from './answers.ts';
import { chargeRow } from './charge-row.ts';
import { type Activation, type Context, done, parkFor } from './context.ts';
import { decide, expire } from './decide.ts';
import { pollDelayMs } from './poll-delay.ts';
import { reportHold } from './report-hold.ts';
import { seenOf } from './seen.ts';

/** A 404 on an id that the upstream gave us itself must stay for so long before we believe it. */
const ABSENT_MS = 60_000;

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
  return await context.holding.hold(id, async decided => await look(record, decided, context));
}

async function look(record: JobRecord, decided: AbortSignal, context: Context): Promise<Activation> {
  const { id, model, response_id: responseId } = record;
  if (responseId === undefined) throw new Error('A running job has no response.');
  const answer = await context.upstream.retrieve(responseId, decided);
  if (decided.aborted) {
    // Decided while we looked: what was seen still belongs in the ledger (I3).
    if (answer.kind === 'seen')
      await chargeRow(
        { job_id: id, model, response_id: responseId },
        { seen: seenOf({ ...answer, model }, context.configuration.prices) },
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
      return await takeIn(
        record,
        responseId,
        answer,
        seenOf({ ...answer, model }, context.configuration.prices),
        context,
      );
  }
}

/** The one place that turns a status of the upstream into an outcome of the job. */
async function takeIn(
  record: JobRecord,
  responseId: string,
  { response, raw }: Extract<Look, { kind: 'seen' }>,
  seen: Seen,
  context: Context,
): Promise<Activation> {
  const { id } = record;
  switch (response.status) {
    case 'completed':
    case 'incomplete':
      return await decide(
        id,
        { status: response.status, response_id: responseId, seen, has_result: true },
        context,
        raw,
      );
    case 'failed':
      return await afterFailedRun(record, responseId, response, seen, context);
    case 'cancelled':
      // Nobody cancelled through us. It may flip like any other, so it is watched like any other.
      return await decide(
        id,
        { status: 'cancelled', cause: 'cancelled', actor: 'provider', response_id: responseId, seen },
        context,
      );
    default:
      // Queued, in progress, or a status that we do not know: clones have more of them. Not an end.
      return parkFor(parkUntilNextLook(record, context));
  }
}

/** Reasons that another try may overcome. A content refusal would only be paid for again. */
const passingCodes = new Set(['server_error', 'rate_limit_exceeded', 'vector_store_timeout']);

async function afterFailedRun(
  record: JobRecord,
  responseId: string,
  response: UpstreamResponse,
  seen: Seen,
  context: Context,
): Promise<Activation> {
  const { store, telemetry } = context;
  // A failure without a reason is not one that is known to pass.
  const code = response.error?.code ?? 'unspecified';
  const message = response.error?.message ?? 'The run failed at the provider.';
  const free = code === 'rate_limit_exceeded' && seen.usage === undefined;
  if (passingCodes.has(code)) {
    const hold = { scope: `model:${record.model}`, kind: 'rate' as const, code };
    const reply = await store.run('rerun', {
      id: record.id,
      code,
      response_id: responseId,
      counts: !free,
      seen,
      due_in_ms: 0,
      ...(code === 'rate_limit_exceeded' ? { hold } : {}),
    });
    if (reply.reply === 'queued') {
      telemetry.emit('run_repeated', { job_id: record.id, model: record.model, response_id: responseId, code });
      reportHold(reply, code, telemetry);
      await store.followQuietly(reply.work);
      return done('queued again');
    }
    if (reply.reply === 'stale') return done('stale');
  }
  return await decide(record.id, { status: 'failed', response_id: responseId, code, message, seen }, context);
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
  return await decide(
    record.id,
    { status: 'failed', response_id: responseId, code: 'response_not_found', message },
    context,
  );
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
    await store.followQuietly(reply.work);
    return done('queued again');
  }
  const message =
    'The create was sent and no answer came back. The provider may have run and billed it: a retry may pay twice.';
  return await decide(id, { status: 'failed', epoch, code: 'launch_unknown', message }, context);
}

/** The patrol found an intent whose launch entry is gone. A create has its own time-out, so a silent one is over. */
async function pollSilentIntent(record: JobRecord, context: Context): Promise<Activation> {
  const { store, configuration } = context;
  const { id, epoch = 0, intended_at: intendedAt = 0 } = record;
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
  await store.clear(reply.work);
  return parkFor(configuration.unknownGraceMs);
}

function parkUntilNextLook(record: JobRecord, { store, configuration }: Context): number {
  const now = store.now();
  const delayMs = pollDelayMs(now - (record.running_at ?? now), configuration);
  return Math.max(0, Math.min(delayMs, record.deadline_at - now));
}
