import { isOutcome } from '../shared/contract/words.ts';
import type { JobRecord } from '../shared/store/record.ts';
import { conclude, untilNextPoll } from './conclude.ts';
import { type Activation, type Context, done, parkFor, type Taken } from './context.ts';
import { charge, decide, decideUnlessStale, expire } from './decide.ts';
import { fetchResponse } from './fetch-response.ts';
import { identify } from './identify.ts';
import { observe } from './observation.ts';
import { followStream } from './stream-follower.ts';
import { LIVE_MS } from './stream-writer.ts';

/** How long the provider has to answer 404 for an id that it made itself before the 404 is believed. */
const ABSENT_MS = 60_000;

/** How often a poll checks that a stream still has a follower. */
const FOLLOWED_MS = 30_000;

/** Polls an open job: its deadline, the grace of its launch, or its response. */
export async function poll(id: string, context: Context, taken: Taken): Promise<Activation> {
  const { record: known, ...rest } = taken;
  const record = known ?? (await context.store.record(id));
  if (!record) return done('missing');
  if (isOutcome(record.status)) return done(`already ${record.status}: nothing done`);
  if (record.deadline_at <= context.store.now()) {
    const expired = await expire(id, context);
    if (expired) return expired;
  }
  if (record.status === 'launching') return await pollIntent(record, context);
  if (record.status === 'queued') return done('rerun');
  if (await isFollowed(record, context))
    return parkFor(Math.min(FOLLOWED_MS, record.deadline_at - context.store.now()));
  return await context.inFlight.track(id, async decided => await pollResponse(record, decided, context, rest));
}

/** True if a worker follows the response's stream: it decides the job, and sooner. A stream without a follower gets one. */
async function isFollowed(
  {
    id,
    model,
    stream,
    include,
    own_includes: own,
    completion_window: completionWindow,
    response_id: responseId,
  }: JobRecord,
  context: Context,
): Promise<boolean> {
  const { store, streams, stopping } = context;
  if (stream !== 'live' || responseId === undefined || stopping.aborted) return false;
  const heardAt = await store.streamHeardAt(id);
  if (heardAt !== null && heardAt > store.now() - LIVE_MS) return true;
  if (streams.isFollowed(id)) return true;
  if (streams.isFull()) return false;
  const job = { id, model, responseId, include, own: include.slice(0, own), completionWindow };
  streams.follow(id, decided => followStream(job, undefined, decided, context));
  return true;
}

async function pollResponse(
  record: JobRecord,
  decided: AbortSignal,
  context: Context,
  taken: Taken,
): Promise<Activation> {
  const { configuration, telemetry, stopping, store } = context;
  const { id, model, response_id: responseId, completion_window: completionWindow } = record;
  if (responseId === undefined) throw new Error('A running job has no response.');
  const { trace, include } = record;
  const own = include.slice(0, record.own_includes);
  const answer = await fetchResponse({ jobId: id, responseId, trace, include, own, signal: decided }, context);
  const facts = { job_id: id, model, response_id: responseId };
  if (decided.aborted) {
    // The job was decided meanwhile, but what was observed belongs in the ledger (I3).
    if (answer.kind === 'found')
      await charge(
        facts,
        { observation: observe({ ...answer, model, completionWindow }, configuration.prices) },
        context,
      );
    return stopping.aborted ? parkFor(0) : await poll(id, context, taken);
  }
  switch (answer.kind) {
    case 'absent':
      return await whileAbsent(record, responseId, context);
    case 'failed': {
      const dueInMs = Math.max(answer.retryAfterMs ?? 0, untilNextPoll(record, context));
      telemetry.emit('poll_failed', { ...facts, code: answer.code, retry_in_ms: dueInMs });
      return parkFor(dueInMs);
    }
    case 'found': {
      if (record.missing_since !== undefined) await store.run('absent', { id, response_id: responseId, absent: false });
      telemetry.emit('response_observed', { ...facts, upstream_status: answer.response.status });
      const observation = observe({ ...answer, model, completionWindow }, configuration.prices);
      const own = await identify(record, answer.response, observation, context);
      if (!own) return done('the response of another job');
      return await conclude({ record: own, responseId, found: answer, observation, pollLock: taken.lock }, context);
    }
  }
}

async function whileAbsent(record: JobRecord, responseId: string, context: Context): Promise<Activation> {
  const { for_ms } = await context.store.run('absent', { id: record.id, response_id: responseId, absent: true });
  if (for_ms < ABSENT_MS) {
    const dueInMs = untilNextPoll(record, context);
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
  const decision = { status: 'failed', response_id: responseId, missing_ms: ABSENT_MS, code, message } as const;
  const activation = await decideUnlessStale(id, decision, context);
  // Another worker has seen it since.
  if (!activation) return parkFor(untilNextPoll(record, context));
  // The 404 is believed, so nobody looks for the usage any more and the row becomes unknown.
  await charge({ job_id: id, model, response_id: responseId }, { window_ms: 0 }, context);
  return activation;
}

/** Polls a launch without an answer. After its grace the job fails, or is launched again if it chose `relaunch` (I6). */
async function pollIntent(record: JobRecord, context: Context): Promise<Activation> {
  const { store, pace, telemetry } = context;
  const { id, epoch = 0 } = record;
  if (record.unknown_at === undefined) return await pollSilentIntent(record, context);
  const grace_ms = pace.unknownGraceMs;
  const reply = await store.run('rerun', { id, epoch, code: 'launch_unknown', due_in_ms: 0, grace_ms });
  if (reply.reply === 'stale') return done('stale');
  if (reply.reply === 'early') return parkFor(Math.min(reply.in_ms, record.deadline_at - store.now()));
  if (reply.reply === 'queued') {
    telemetry.emit('job_rerun', { job_id: id, model: record.model, response_id: '', code: 'launch_unknown' });
    await store.outbox.carryOutQuietly(reply.work);
    return done('rerun');
  }
  const says = record.unknown_says
    ? `The provider answered the create without an id and said: ${record.unknown_says} `
    : '';
  const message = `${says || 'The create got no usable answer. '}The provider may have run and billed it, so a retry may pay twice.`;
  return await decide(id, { status: 'failed', epoch, code: 'launch_unknown', message }, context);
}

/** The launch entry of an intent is gone. A create has a time-out, so one that has been silent for longer is over. */
async function pollSilentIntent(record: JobRecord, context: Context): Promise<Activation> {
  const { store, configuration, pace } = context;
  const { id, epoch = 0, intended_at: intendedAt = 0 } = record;
  // A worker still waits for the answer. A streamed create may have no id for minutes.
  if (await store.queues.isLocked('launch', id)) return parkFor(configuration.lockMs);
  const silentMs = store.now() - intendedAt;
  const patienceMs = configuration.launchTimeoutMs + 2 * configuration.lockMs;
  if (silentMs < patienceMs) return parkFor(patienceMs - silentMs);
  const reply = await store.run('resolve', {
    id,
    epoch,
    how: 'unknown',
    code: 'worker_lost',
    grace_ms: pace.unknownGraceMs,
    witnessed: false,
  });
  await store.outbox.clear(reply.work);
  return parkFor(pace.unknownGraceMs);
}
