import type { RetrieveAnswer } from '../provider/answers.ts';
import { wordOf } from '../provider/call-failure.ts';
import { windowMsOf } from '../shared/contract/completion-window.ts';
import type { ResultStatus } from '../shared/contract/words.ts';
import { isDeeper } from '../shared/runtime/measure-json.ts';
import type { Observation } from '../shared/store/lua/shapes.ts';
import type { JobRecord } from '../shared/store/record.ts';
import { type Activation, type Context, done, parkFor } from './context.ts';
import { charge, decide } from './decide.ts';
import { reportHold } from './report-hold.ts';
import { itemIdsOf } from './result-body.ts';
import { pollDelayMs } from './schedule.ts';

export type FoundResponse = Extract<RetrieveAnswer, { kind: 'found' }>;

/** What one observation of a running job's response brings. */
export interface Finding {
  record: JobRecord;
  responseId: string;
  found: Pick<FoundResponse, 'response' | 'text'>;
  observation: Observation;
  /** The worker's lock on the entry of the poll that found it. Only a poll has one. */
  pollLock?: string | undefined;
  /** True if every event of the stream was stored. */
  isStreamComplete?: boolean;
}

/** The one place that turns the provider's status of a response into an outcome of the job. */
export async function conclude(finding: Finding, context: Context): Promise<Activation> {
  const { record, responseId, found, observation, pollLock, isStreamComplete } = finding;
  const result = resultOf(found);
  if (result)
    return await decide(
      record.id,
      { ...result, response_id: responseId, observation, stream_complete: isStreamComplete },
      context,
      { result: found.text, pollLock },
    );
  // It is a result all the same, but none that can be kept.
  if (resultStatuses.has(found.response.status))
    return await decide(record.id, { ...unreadable, response_id: responseId, observation }, context, { pollLock });
  switch (found.response.status) {
    case 'failed':
      return await afterFailedRun(finding, context);
    case 'cancelled':
      // Somebody cancelled it at the provider. It may flip like any other, so it is followed like any other.
      return await decide(
        record.id,
        { status: 'cancelled', cause: 'cancelled', actor: 'provider', response_id: responseId, observation },
        context,
        { pollLock },
      );
    default:
      // Queued, in progress, or a status that only a compatible server has: the run has not ended.
      return parkFor(untilNextPoll(record, context));
  }
}

/** No output is as deep. Whoever wrote it out again would exhaust the stack: a page, a stream, the app. */
const MOST_NESTING = 1000;

const unreadable = {
  status: 'failed',
  code: 'unreadable_result',
  message: `The provider’s result is nested deeper than ${MOST_NESTING} levels, so it is not kept. Its tokens are booked.`,
} as const;

/** What becomes of the job if the response is a result; null if it is none that can be kept. */
export function resultOf({ response: { status, output }, text }: Pick<FoundResponse, 'response' | 'text'>) {
  const outcome = resultStatuses.get(status);
  return outcome && !isDeeper(text, MOST_NESTING)
    ? { status: outcome, has_result: true as const, item_ids: itemIdsOf(output) }
    : null;
}

/** A gateway that runs everything in the foreground ends with `requires_action` if the app has to call a function. */
const resultStatuses = new Map<string, ResultStatus>([
  ['completed', 'completed'],
  ['requires_action', 'completed'],
  ['incomplete', 'incomplete'],
]);

/** Reasons that another run may overcome. After a content refusal it would only be paid for again. */
const passingCodes = new Set(['server_error', 'rate_limit_exceeded', 'vector_store_timeout']);

async function afterFailedRun(finding: Finding, context: Context): Promise<Activation> {
  const { record, responseId, found, observation, pollLock } = finding;
  const { id } = record;
  // A failure without a reason is not known to pass.
  const code = wordOf(found.response.error?.code) ?? 'unspecified';
  const message = found.response.error?.message ?? 'The run failed at the provider.';
  const rerun = passingCodes.has(code) ? await tryRerun(finding, code, context) : null;
  if (rerun) return rerun;
  const failed = { status: 'failed', response_id: responseId, code, message, observation } as const;
  // Without a body its owner has the reason all the same.
  if (isDeeper(found.text, MOST_NESTING)) return await decide(id, failed, context, { pollLock });
  return await decide(id, { ...failed, has_body: true }, context, { result: found.text, pollLock });
}

/** Null if the job has no attempt left. */
async function tryRerun(finding: Finding, code: string, context: Context): Promise<Activation | null> {
  const { record, responseId, observation } = finding;
  const { store, telemetry } = context;
  const facts = { job_id: record.id, model: record.model, response_id: responseId };
  const isRateLimit = code === 'rate_limit_exceeded';
  const reply = await store.run('rerun', {
    id: record.id,
    code,
    response_id: responseId,
    counts: !(isRateLimit && observation.usage === undefined),
    observation,
    due_in_ms: 0,
    hold: isRateLimit ? { of: 'model', kind: 'rate', code } : undefined,
  });
  if (reply.reply === 'queued') {
    telemetry.emit('job_rerun', { ...facts, code });
    reportHold(reply, { code, kind: 'rate' }, telemetry);
    await store.outbox.carryOutQuietly(reply.work);
    return done('rerun');
  }
  if (reply.reply !== 'stale') return null;
  // The job was decided meanwhile, but what was observed belongs in the ledger (I3).
  await charge(facts, { observation }, context);
  return done('stale');
}

/** Milliseconds until the next poll: each a little later than the one before, and none after the deadline. */
export function untilNextPoll(record: JobRecord, { store, pace }: Context): number {
  const now = store.now();
  const windowMs = windowMsOf(record.completion_window);
  const delayMs = pollDelayMs(now - (record.running_at ?? now), {
    pollMinMs: pace.pollMinMs,
    pollMaxMs: pace.pollMaxMs,
    windowMs,
  });
  return Math.max(0, Math.min(delayMs, record.deadline_at - now));
}
