import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { SpanKind } from '@opentelemetry/api';
import { holdAdvice } from '../shared/contract/holds.ts';
import { costBoundOf } from '../shared/runtime/cost-bound.ts';
import { withMembers } from '../shared/runtime/json-members.ts';
import { rememberTrace } from '../shared/runtime/trace-state.ts';
import { spanned } from '../shared/runtime/tracing.ts';
import type { IntendReply } from '../shared/store/lua/intend.ts';
import { type Activation, type Context, done, parkFor, type Taken } from './context.ts';
import { decide, expire } from './decide.ts';
import { insist } from './insist.ts';
import { recordAnswer } from './launch-answer.ts';
import { slotRetryMs } from './stream-slots.ts';
import { resolveUnknown } from './unknown-launch.ts';

/** Sixteen digits are enough to tell the activations of one job apart, and each job in flight keeps one. */
const TOKEN_LENGTH = 18;

/** How long a launch waits that finds HEADSTONE_MAX_IN_FLIGHT reached. It keeps its slot meanwhile (I9). */
const FULL_RETRY_MS = 200;

/** An entry that was taken before the pause goes back to the queue, which gives it out again after the pause. */
const PAUSED_RETRY_MS = 1000;

/** How long a launch waits whose request cannot be read now (I9). */
const NOT_SENT_RETRY_MS = 5000;

/** A worker that was away for this part of its lock's time may count as dead, so it starts nothing new (I6). */
const FRESH_SHARE = 0.6;

/** Launches a queued job: writes the intent, sends the create, and records what came of it. */
export async function launch(id: string, context: Context, { lock, waiting }: Taken): Promise<Activation> {
  try {
    return await context.inFlight.track(id, async decided => {
      const { intent, askedAt } = await intendWhenFree(id, context, { decided, waiting });
      if (intent.reply === 'intended') return await tracedPost({ id, intent, askedAt, lock }, context);
      return await withoutIntent(id, intent, context);
    });
  } finally {
    context.streams.unreserve(id);
  }
}

type Intended = Extract<IntendReply, { reply: 'intended' }>;

/** What becomes of the entry if the job must not be launched now. */
async function withoutIntent(
  id: string,
  intent: Exclude<IntendReply, Intended>,
  context: Context,
): Promise<Activation> {
  switch (intent.reply) {
    case 'unresolved':
      return await giveUpEarlierIntent(id, intent, context);
    case 'expired':
      return (await expire(id, context)) ?? parkFor(FULL_RETRY_MS);
    case 'full':
      return parkFor(FULL_RETRY_MS);
    case 'no_slot':
      // Another process may have a slot.
      return parkFor(slotRetryMs(intent.waited_ms));
    case 'paused':
      return parkFor(PAUSED_RETRY_MS);
    case 'refused':
      return await failHeld(id, intent, context);
    case 'held':
      return done(`held: ${intent.scope}`);
    case 'final':
      if (intent.unknown_epoch !== undefined) {
        const facts = { job_id: id, epoch: intent.unknown_epoch, code: 'worker_lost', grace_ms: 0 };
        context.telemetry.emit('launch_unknown', facts);
      }
      return done(`already ${intent.status}: nothing done`);
    default:
      return done(intent.reply);
  }
}

/** The launches of its model or account are held, and this job does not wait for that. */
async function failHeld(
  id: string,
  { code, http_status }: { code: string; http_status?: number | undefined },
  context: Context,
): Promise<Activation> {
  const message = `Launches are held (${code}), so this create was not sent. ${holdAdvice(code, 'alarm')}`;
  // A worker that was frozen here may find that another has launched the job (I7).
  const decision = { status: 'failed', unlaunched: true, code, message, refusal: { http_status } } as const;
  return await decide(id, decision, context);
}

interface Asked {
  intent: IntendReply;
  /** When the question was asked, on the monotonic clock. */
  askedAt: number;
}

async function intendWhenFree(
  id: string,
  context: Context,
  { decided, waiting }: { decided: AbortSignal; waiting: () => Promise<void> },
): Promise<Asked> {
  const { store, streams, configuration, stopping } = context;
  // The store knows by the token that a question was sent again because its answer was lost.
  const token = randomUUID().slice(0, TOKEN_LENGTH);
  let isWaiting = false;
  for (;;) {
    const askedAt = performance.now();
    // Whether the job is a stream is known only with the intent, so a slot is reserved until then.
    const given = { id, token, max_in_flight: configuration.maxInFlight, streams_full: !streams.reserve(id) };
    // If its answer is lost, the same question finds the intent that it wrote (I6).
    const intent = await insist(() => store.run('intend', given), context);
    if (intent.reply !== 'intended' || !intent.is_stream) streams.unreserve(id);
    if (intent.reply !== 'full' || stopping.aborted || decided.aborted) return { intent, askedAt };
    if (!isWaiting) await waiting();
    isWaiting = true;
    await sleep(FULL_RETRY_MS * (0.5 + Math.random()), undefined, { signal: decided }).catch(() => {});
  }
}

/** An earlier activation wrote the intent and never came back. Nobody knows whether it sent the POST (I4, I6). */
async function giveUpEarlierIntent(
  id: string,
  { epoch, state }: { epoch: number; state: 'intended' | 'unknown' },
  context: Context,
): Promise<Activation> {
  if (state === 'intended') await resolveUnknown(id, epoch, { code: 'worker_lost', witnessed: false }, context);
  return done('launch unknown');
}

/** A launch that has its permission. */
interface Permitted {
  id: string;
  intent: Intended;
  askedAt: number;
  lock: string | undefined;
}

async function tracedPost(permitted: Permitted, context: Context): Promise<Activation> {
  const { id } = permitted;
  const { trace: parent, model, epoch } = permitted.intent;
  rememberTrace(id, parent);
  const attributes = { 'headstone.job.id': id, 'headstone.epoch': epoch, 'gen_ai.request.model': model };
  const given = { kind: SpanKind.CONSUMER, parent, attributes };
  return await spanned(`launch ${model}`, given, () => post(permitted, context));
}

async function post({ id, intent, askedAt, lock }: Permitted, context: Context): Promise<Activation> {
  const { store, configuration, telemetry } = context;
  const { epoch, model, is_stream: isStream, text: request } = intent;
  const away = performance.now() - askedAt > configuration.lockMs * FRESH_SHARE;
  if (request === null || away) {
    const code = away ? 'worker_was_away' : 'not_sent';
    // The create was certainly not sent, so the launch is not unknown and the job goes back to the queue.
    const reply = await insist(
      () =>
        store.run('resolve', {
          id,
          epoch,
          how: 'refused',
          next: 'queued',
          code,
          due_in_ms: away ? 0 : NOT_SENT_RETRY_MS,
        }),
      context,
    );
    await store.outbox.carryOutQuietly(reply.work);
    return done('not sent');
  }
  telemetry.emit('launch_intended', { job_id: id, model, epoch });
  // This comes before the POST, because nothing that can fail may stand between an answer and its record.
  const bound = costBoundOf(request, configuration.prices);

  // A create is never aborted: an answer that nobody waits for is an id that is lost.
  const body = createBody(request, intent.predecessor, `${context.deployment}/${id}/${epoch}`, isStream);
  const answer = await context.inFlight.awaitCreate(
    () => (isStream ? context.upstream.createStream(body, model) : context.upstream.create(body, model)),
    isStream,
  );
  const include = includeOf(intent.include);
  return await recordAnswer(
    answer,
    { id, epoch, model, bound, include, completionWindow: intent.completion_window, lock },
    context,
  );
}

/** The list that was stored with the job. One that cannot be read must not keep an answer from its record. */
function includeOf(stored: string | undefined): string[] {
  try {
    const names: unknown = JSON.parse(stored ?? '[]');
    return Array.isArray(names) ? names.filter(name => typeof name === 'string') : [];
  } catch {
    return [];
  }
}

/** Fields that only a request stored by the version before has. They are believed only if that version wrote them itself. */
interface StoredRequest {
  headstone_predecessor?: unknown;
  previous_response_id?: unknown;
  metadata?: Record<string, string> | null;
}

/**
 * The body of the create: the app's text, in which only Headstone's own fields are changed. By the metadata pair a webhook, or
 * a person, finds the job of a response whose id was lost.
 */
function createBody(request: string, predecessor: string | undefined, mark: string, isStream: boolean): string {
  const {
    headstone_predecessor: earlier,
    previous_response_id: given,
    metadata,
  } = JSON.parse(request) as StoredRequest;
  const previous = predecessor ?? (typeof given === 'string' ? earlier : undefined);
  return withMembers(request, {
    headstone_predecessor: undefined,
    ...(previous === undefined ? {} : { previous_response_id: JSON.stringify(previous) }),
    background: 'true',
    store: 'true',
    stream: isStream ? 'true' : undefined,
    metadata: JSON.stringify({ ...metadata, headstone: mark }),
  });
}
