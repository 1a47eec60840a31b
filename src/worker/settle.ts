import { windowMsOf } from '../shared/contract/completion-window.ts';
import { HeadstoneError } from '../shared/contract/errors.ts';
import { isTracing } from '../shared/runtime/trace-state.ts';
import type { Observation } from '../shared/store/lua/shapes.ts';
import type { WatchedRow } from '../shared/store/record.ts';
import { type Activation, type Context, done, parkFor } from './context.ts';
import { charge } from './decide.ts';
import { fetchResponse } from './fetch-response.ts';
import { giveBack } from './give-back.ts';
import { observe } from './observation.ts';
import { nextObservation, type Watch, windowEnd } from './schedule.ts';
import { meetStranger, pollNow } from './stranger.ts';

/** An observation that fails at the end of the window is tried again for as long as another window. */
const LAST_CHANCES = 2;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;

/** Cancels a response that nobody wants, watches it to its end, books it and reports what it cost (I3, I8). */
export async function settle(responseId: string, context: Context): Promise<Activation> {
  const watched = await context.store.watchedRow(responseId);
  if (!watched) return await meetStranger(responseId, context);
  if (watched.row.kind === null) {
    // A webhook came before the answer to its create. Its job is polled, and decides.
    await pollNow(watched.row.job_id, context.store);
    return done('its job runs');
  }
  if (watched.row.status !== 'pending' && !watched.isHinted) return await close(watched, {}, context);
  try {
    return await watchResponse(watched, context);
  } catch (error) {
    // If something goes wrong with this response each time, watching it still ends (I9, I10). An outage of the store passes.
    const watch = watchOf(watched, context);
    const mayPass = error instanceof HeadstoneError && error.retryable;
    if (mayPass || context.store.now() < lastChance(watch)) throw error;
    return await book(watched, watch, undefined, context);
  }
}

async function watchResponse(watched: WatchedRow, context: Context): Promise<Activation> {
  if (watched.row.kind === 'wasted' && !watched.cancelAcknowledged && !isTrulyFinal(watched)) {
    const retryInMs = await cancelUpstream(watched, context);
    return sooner(await observeWhenDue(watched, context), retryInMs);
  }
  return await observeWhenDue(watched, context);
}

async function observeWhenDue(watched: WatchedRow, context: Context): Promise<Activation> {
  const watch = watchOf(watched, context);
  const now = context.store.now();
  const first = nextObservation(watch, watch.endedAt) ?? windowEnd(watch);
  return now < first && !watched.isHinted ? parkFor(first - now) : await observeNow(watched, watch, context);
}

/** A cancel that has to be sent again neither waits for the next observation nor delays it. */
function sooner(activation: Activation, retryInMs: number | null): Activation {
  if (activation.kind !== 'park' || retryInMs === null) return activation;
  return parkFor(Math.min(activation.dueInMs, retryInMs));
}

function isTrulyFinal({ row }: WatchedRow): boolean {
  return (
    row.upstream_status !== null &&
    ['completed', 'requires_action', 'incomplete', 'failed'].includes(row.upstream_status)
  );
}

/** Cancels the response at the provider. Null if the provider took the cancel; otherwise how long to wait before trying again. */
async function cancelUpstream(watched: WatchedRow, context: Context): Promise<number | null> {
  const { store, upstream, telemetry, configuration } = context;
  const { row, completionWindow } = watched;
  const { response_id, job_id, model } = row;
  const answer = await upstream.cancel(response_id);
  const facts = { job_id, model, response_id };
  switch (answer.kind) {
    case 'acknowledged': {
      const observation = answer.response
        ? observe({ ...answer, response: answer.response, model, completionWindow }, configuration.prices)
        : undefined;
      await charge(facts, { cancel_acknowledged: true, observation }, context);
      telemetry.emit('upstream_cancelled', { ...facts, upstream_status: answer.response?.status ?? 'unreadable' });
      return null;
    }
    case 'too_late':
      await charge(facts, { cancel_acknowledged: true, cancel_too_late: true }, context);
      telemetry.emit('upstream_cancelled', { ...facts, upstream_status: 'already final' });
      return null;
    case 'failed': {
      const elapsedMs = store.now() - watched.endedAt;
      // After the window the cancel is not sent again, but the response is still watched.
      if (elapsedMs >= configuration.settleWindowMs) return null;
      const retryInMs = Math.max(answer.retryAfterMs ?? 0, backoffMs(elapsedMs));
      telemetry.emit('upstream_cancel_failed', { ...facts, code: answer.code, retry_in_ms: retryInMs });
      return Math.min(retryInMs, configuration.settleWindowMs - elapsedMs);
    }
  }
}

async function observeNow(watched: WatchedRow, watch: Watch, context: Context): Promise<Activation> {
  const { store, telemetry, configuration } = context;
  const { response_id, job_id, model } = watched.row;
  const trace = isTracing() ? (await store.record(job_id))?.trace : undefined;
  const given = { jobId: job_id, responseId: response_id, trace, include: [], signal: context.stopping };
  const answer = await fetchResponse(given, context);
  const now = store.now();
  if (answer.kind !== 'found' && context.stopping.aborted) return parkFor(0);
  if (answer.kind === 'found') {
    telemetry.emit('response_observed', { job_id, model, response_id, upstream_status: answer.response.status });
    const observation = observe({ ...answer, model, completionWindow: watched.completionWindow }, configuration.prices);
    if (await giveBack(job_id, answer.response, observation, context)) return done('the response of another job');
    return await book(watched, watch, observation, context);
  }
  const code = answer.kind === 'absent' ? 'http_404' : answer.code;
  if (answer.kind === 'absent' && now >= windowEnd(watch)) return await book(watched, watch, undefined, context);
  if (now >= lastChance(watch)) return await book(watched, watch, undefined, context);
  const scheduled = nextObservation(watch, now);
  const wait = scheduled === null ? backoffMs(now - watch.endedAt) : scheduled - now;
  const retryInMs =
    answer.kind === 'failed'
      ? Math.max(answer.retryAfterMs ?? 0, Math.min(wait, backoffMs(now - watch.endedAt)))
      : wait;
  telemetry.emit('poll_failed', { job_id, model, response_id, code, retry_in_ms: retryInMs });
  return parkFor(retryInMs);
}

async function book(
  watched: WatchedRow,
  watch: Watch,
  observation: Observation | undefined,
  context: Context,
): Promise<Activation> {
  return await close(watched, { window_ms: watch.windowMs, observation, answers_hint: watched.heard }, context, watch);
}

/** Books what was learned. If that closes the row, the waste is reported; if not, the response is observed again. */
async function close(
  { row }: WatchedRow,
  learned: { observation?: Observation; window_ms?: number; answers_hint?: string },
  context: Context,
  watch?: Watch,
): Promise<Activation> {
  const { store } = context;
  const reply = await charge(row, learned, context);
  if (reply.reply === 'missing') return done('no row');
  if (reply.status === 'pending') {
    const now = store.now();
    const next = watch ? nextObservation(watch, now) : null;
    // After the window the provider still says that it will run, so it is watched at a slow pace.
    return parkFor(next === null ? patientDelayMs(now - row.at) : next - now);
  }
  // A hint after the end of the window may have shown nothing new.
  if (reply.status !== row.status || learned.answers_hint === undefined || learned.answers_hint === '')
    await reportWaste(row.response_id, context);
  return done(`settled: ${reply.status}`);
}

/** Workers kept dying over this response. It is not observed again, and the row keeps what is known now. */
export async function giveUpSettling(responseId: string, context: Context): Promise<Activation> {
  const watched = await context.store.watchedRow(responseId);
  return watched ? await close(watched, { window_ms: 0 }, context) : done('no row');
}

/** Logs `tokens_wasted` for a closed row. After a crash the line may come twice, and the row is the truth. */
async function reportWaste(responseId: string, { store, telemetry }: Context): Promise<void> {
  const row = await store.row(responseId);
  if (row?.kind === 'used' && row.status !== 'pending')
    telemetry.emit('usage_settled', { job_id: row.job_id, model: row.model, response_id: row.response_id });
  if (row?.kind !== 'wasted' || row.cause === null || row.status === 'pending') return;
  telemetry.emit('tokens_wasted', {
    job_id: row.job_id,
    response_id: row.response_id,
    model: row.model,
    tenant: row.tenant,
    cause: row.cause,
    reason: row.reason,
    actor: row.actor,
    input_tokens: row.usage?.input_tokens ?? null,
    output_tokens: row.usage?.output_tokens ?? null,
    total_tokens: row.usage?.total_tokens ?? null,
    cost_usd_micros: row.cost_usd_micros,
    late_by_ms: row.late_by_ms,
    status: row.status,
  });
}

function watchOf({ madeAt, endedAt, completionWindow }: WatchedRow, { configuration }: Context): Watch {
  const providersMs = windowMsOf(completionWindow);
  return {
    endedAt,
    providersMs,
    openedAt: madeAt,
    firstMs: configuration.settleFirstMs,
    // If the response may wait at the provider, the usual length is counted from the end of that wait.
    windowMs: Math.max(0, providersMs === 0 ? 0 : madeAt + providersMs - endedAt) + configuration.settleWindowMs,
    retentionFloorMs: configuration.retentionFloorMs,
  };
}

function lastChance({ endedAt, windowMs }: Watch): number {
  return endedAt + LAST_CHANCES * windowMs;
}

const QUIETEST_PACE_MS = 3_600_000;

function patientDelayMs(ageMs: number): number {
  return Math.min(Math.max(FIRST_RETRY_MS, ageMs / 4), QUIETEST_PACE_MS);
}

/** Grows with the time that has passed, so the retries double. */
function backoffMs(elapsedMs: number): number {
  return Math.min(Math.max(FIRST_RETRY_MS, elapsedMs), LONGEST_RETRY_MS);
}
