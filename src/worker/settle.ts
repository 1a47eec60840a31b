import { windowMsOf } from '../shared/contract/completion-window.ts';
import { HeadstoneError } from '../shared/contract/errors.ts';
import type { Seen } from '../shared/store/lua/shapes.ts';
import type { WatchedRow } from '../shared/store/record.ts';
import { chargeRow } from './charge-row.ts';
import { type Activation, type Context, done, parkFor } from './context.ts';
import { seenOf } from './seen.ts';
import { nextLook, type Watch, windowEnd } from './watch-schedule.ts';

/** A look that fails at the end of the window is tried again for as long as another window. */
const LAST_CHANCES = 2;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;

/** Follows a response that nobody wants to its end: cancel, watch, book, and say what it cost (I3, I8). */
export async function settle(responseId: string, context: Context): Promise<Activation> {
  const watched = await context.store.watchedRow(responseId);
  if (!watched) return done('no row');
  if (watched.row.status !== 'pending') return await close(watched, {}, context);
  try {
    return await follow(watched, context);
  } catch (error) {
    // Whatever goes wrong with this response each time, the watching has an end (I9, I10); an outage of the store passes.
    const watch = watchOf(watched, context);
    const mayPass = error instanceof HeadstoneError && error.retryable;
    if (mayPass || context.store.now() < lastChance(watch)) throw error;
    return await book(watched, watch, undefined, context);
  }
}

async function follow(watched: WatchedRow, context: Context): Promise<Activation> {
  if (watched.row.kind === 'wasted' && !watched.cancelAcknowledged && !isTrulyFinal(watched)) {
    const retryInMs = await cancelUpstream(watched, context);
    return sooner(await lookWhenDue(watched, context), retryInMs);
  }
  return await lookWhenDue(watched, context);
}

async function lookWhenDue(watched: WatchedRow, context: Context): Promise<Activation> {
  const watch = watchOf(watched, context);
  const now = context.store.now();
  const first = nextLook(watch, watch.endedAt) ?? windowEnd(watch);
  return now < first ? parkFor(first - now) : await look(watched, watch, context);
}

/** A cancel that has to be sent again must not wait for the next look, nor keep it back. */
function sooner(activation: Activation, retryInMs: number | null): Activation {
  if (activation.kind === 'done' || retryInMs === null) return activation;
  return parkFor(Math.min(activation.dueInMs, retryInMs));
}

function isTrulyFinal({ row }: WatchedRow): boolean {
  return (
    row.upstream_status !== null &&
    ['completed', 'requires_action', 'incomplete', 'failed'].includes(row.upstream_status)
  );
}

/** Null when the upstream has heard us; else when to try again. */
async function cancelUpstream(watched: WatchedRow, context: Context): Promise<number | null> {
  const { store, upstream, telemetry, configuration } = context;
  const { row, completionWindow } = watched;
  const { response_id, job_id, model } = row;
  const answer = await upstream.cancel(response_id);
  const facts = { job_id, model, response_id };
  switch (answer.kind) {
    case 'acknowledged': {
      const seen = answer.response
        ? seenOf({ ...answer, response: answer.response, model, completionWindow }, configuration.prices)
        : undefined;
      await chargeRow(facts, { cancel_acknowledged: true, ...(seen ? { seen } : {}) }, context);
      telemetry.emit('upstream_cancelled', { ...facts, upstream_status: answer.response?.status ?? 'unreadable' });
      return null;
    }
    case 'too_late':
      await chargeRow(facts, { cancel_acknowledged: true }, context);
      telemetry.emit('upstream_cancelled', { ...facts, upstream_status: 'already final' });
      return null;
    case 'failed': {
      const elapsedMs = store.now() - watched.endedAt;
      // Past the window nobody tries to stop it any more; the watcher still looks.
      if (elapsedMs >= configuration.settleWindowMs) return null;
      const retryInMs = Math.max(answer.retryAfterMs ?? 0, backoffMs(elapsedMs));
      telemetry.emit('upstream_cancel_failed', { ...facts, code: answer.code, retry_in_ms: retryInMs });
      return Math.min(retryInMs, configuration.settleWindowMs - elapsedMs);
    }
  }
}

async function look(watched: WatchedRow, watch: Watch, context: Context): Promise<Activation> {
  const { store, upstream, telemetry, configuration } = context;
  const { response_id, job_id, model } = watched.row;
  const answer = await upstream.retrieve(response_id, { signal: context.stopping, include: [] });
  const now = store.now();
  if (answer.kind !== 'seen' && context.stopping.aborted) return parkFor(0);
  if (answer.kind === 'seen') {
    telemetry.emit('poll_looked', { job_id, model, response_id, upstream_status: answer.response.status });
    const seen = seenOf({ ...answer, model, completionWindow: watched.completionWindow }, configuration.prices);
    return await book(watched, watch, seen, context);
  }
  const code = answer.kind === 'absent' ? 'http_404' : answer.code;
  if (answer.kind === 'absent' && now >= windowEnd(watch)) return await book(watched, watch, undefined, context);
  if (now >= lastChance(watch)) return await book(watched, watch, undefined, context);
  const scheduled = nextLook(watch, now);
  const wait = scheduled === null ? backoffMs(now - watch.endedAt) : scheduled - now;
  const retryInMs =
    answer.kind === 'failed'
      ? Math.max(answer.retryAfterMs ?? 0, Math.min(wait, backoffMs(now - watch.endedAt)))
      : wait;
  telemetry.emit('poll_failed', { job_id, model, response_id, code, retry_in_ms: retryInMs });
  return parkFor(retryInMs);
}

async function book(watched: WatchedRow, watch: Watch, seen: Seen | undefined, context: Context): Promise<Activation> {
  return await close(watched, { window_ms: watch.windowMs, ...(seen ? { seen } : {}) }, context, watch);
}

/** Books what was learned. A row that is closed by it is told to people; another one is looked at again. */
async function close(
  { row }: WatchedRow,
  learned: { seen?: Seen; window_ms?: number },
  context: Context,
  watch?: Watch,
): Promise<Activation> {
  const { store } = context;
  const reply = await chargeRow(row, learned, context);
  if (reply.reply === 'missing') return done('no row');
  if (reply.status === 'pending') {
    const now = store.now();
    const next = watch ? nextLook(watch, now) : null;
    // Past the window, and the provider still says that it will run: it is followed, at a quiet pace.
    return parkFor(next === null ? patientDelayMs(now - row.at) : next - now);
  }
  await tellWaste(row.response_id, context);
  return done(`settled: ${reply.status}`);
}

/** Workers kept dying over this response: it is not looked at again, and what is known now is what the row says. */
export async function giveUpSettling(responseId: string, context: Context): Promise<Activation> {
  const watched = await context.store.watchedRow(responseId);
  return watched ? await close(watched, { window_ms: 0 }, context) : done('no row');
}

/** The line that this project exists for. After a crash it may come twice; the row is the truth. */
async function tellWaste(responseId: string, { store, telemetry }: Context): Promise<void> {
  const row = await store.row(responseId);
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
    // Until the provider has to have run it, and then as long as any other.
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

/** Doubles with the time that has passed. */
function backoffMs(elapsedMs: number): number {
  return Math.min(Math.max(FIRST_RETRY_MS, elapsedMs), LONGEST_RETRY_MS);
}
