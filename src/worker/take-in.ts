import { windowMsOf } from '../shared/contract/completion-window.ts';
import type { UpstreamResponse } from '../shared/contract/response.ts';
import type { ResultStatus } from '../shared/contract/words.ts';
import type { Seen } from '../shared/store/lua/shapes.ts';
import type { JobRecord } from '../shared/store/record.ts';
import type { Look } from './answers.ts';
import { wordOf } from './call-failure.ts';
import { chargeRow } from './charge-row.ts';
import { type Activation, type Context, done, parkFor } from './context.ts';
import { decide } from './decide.ts';
import { pollDelayMs } from './poll-delay.ts';
import { reportHold } from './report-hold.ts';
import { itemIdsOf } from './seen.ts';

/** The one place that turns a status of the upstream into an outcome of the job. */
export async function takeIn(
  record: JobRecord,
  responseId: string,
  { response, text }: Extract<Look, { kind: 'seen' }>,
  seen: Seen,
  context: Context,
  /** True where the stream was heard to its end. */
  isStreamComplete = false,
): Promise<Activation> {
  const { id } = record;
  const result = resultOf(response);
  if (result)
    return await decide(
      id,
      { ...result, response_id: responseId, seen, ...(isStreamComplete ? { stream_complete: true } : {}) },
      context,
      text,
    );
  switch (response.status) {
    case 'failed':
      return await afterFailedRun(record, responseId, { response, text }, seen, context);
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

/** What becomes of the job where a response is a result; null where it is none. */
export function resultOf({ status, output }: UpstreamResponse) {
  const outcome = resultStatuses.get(status);
  return outcome ? { status: outcome, has_result: true as const, item_ids: itemIdsOf(output) } : null;
}

/** A gateway that runs everything in the foreground ends with `requires_action` where the app is to call a function. */
const resultStatuses = new Map<string, ResultStatus>([
  ['completed', 'completed'],
  ['requires_action', 'completed'],
  ['incomplete', 'incomplete'],
]);

/** Reasons that another try may overcome. A content refusal would only be paid for again. */
const passingCodes = new Set(['server_error', 'rate_limit_exceeded', 'vector_store_timeout']);

async function afterFailedRun(
  record: JobRecord,
  responseId: string,
  { response, text }: { response: UpstreamResponse; text: string },
  seen: Seen,
  context: Context,
): Promise<Activation> {
  const { store, telemetry } = context;
  // A failure without a reason is not one that is known to pass.
  const code = wordOf(response.error?.code) ?? 'unspecified';
  const message = response.error?.message ?? 'The run failed at the provider.';
  const free = code === 'rate_limit_exceeded' && seen.usage === undefined;
  if (passingCodes.has(code)) {
    const hold = { of: 'model' as const, kind: 'rate' as const, code };
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
      await store.outbox.followQuietly(reply.work);
      return done('queued again');
    }
    if (reply.reply === 'stale') {
      // Decided meanwhile: what was seen still belongs in the ledger (I3).
      await chargeRow({ job_id: record.id, model: record.model, response_id: responseId }, { seen }, context);
      return done('stale');
    }
  }
  const failed = { status: 'failed', response_id: responseId, code, message, seen, has_body: true } as const;
  return await decide(record.id, failed, context, text);
}

/** Each look a little later than the one before, and none after the deadline. */
export function parkUntilNextLook(record: JobRecord, { store, configuration }: Context): number {
  const now = store.now();
  const windowMs = windowMsOf(record.completion_window);
  const delayMs = pollDelayMs(now - (record.running_at ?? now), { ...configuration, windowMs });
  return Math.max(0, Math.min(delayMs, record.deadline_at - now));
}
