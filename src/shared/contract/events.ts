import { z } from 'zod';
import { causeSchema, outcomeStatusSchema, verdictSchema } from './words.ts';

const text = z.string();
const count = z.number();
const tokens = z.number().int().nullable();
const job = { job_id: text, model: text.optional() };
const callback = z.strictObject({ job_id: text, type: text, code: text, tries: count });
const response = { ...job, response_id: text };

/**
 * Every event that Headstone emits. The log, the metrics and the tests subscribe to them. The schemas are strict, so a log line
 * has no field that is not in this table, and so no prompt and no output (I13).
 */
export const eventTable = {
  job_accepted: { level: 'debug', fields: z.strictObject(job) },
  job_adopted: { level: 'info', fields: z.strictObject({ job_id: text, response_id: text }) },
  job_cancel_asked: { level: 'info', fields: z.strictObject({ job_id: text, verdict: verdictSchema }) },
  job_decided: {
    level: 'info',
    fields: z.strictObject({ ...job, outcome: outcomeStatusSchema, code: text.optional() }),
  },
  launch_intended: { level: 'debug', fields: z.strictObject({ ...job, epoch: count }) },
  launch_acknowledged: { level: 'info', fields: z.strictObject({ ...response, epoch: count }) },
  launch_refused: {
    level: 'warn',
    fields: z.strictObject({ ...job, epoch: count, code: text, http_status: count.nullable(), next: text }),
  },
  launch_unknown: { level: 'error', fields: z.strictObject({ ...job, epoch: count, code: text, grace_ms: count }) },
  launch_unrecorded: { level: 'error', fields: z.strictObject({ ...response, epoch: count }) },
  launches_held: { level: 'error', fields: z.strictObject({ scope: text, code: text, for_ms: count, advice: text }) },
  response_observed: { level: 'debug', fields: z.strictObject({ ...response, upstream_status: text }) },
  poll_failed: { level: 'warn', fields: z.strictObject({ ...response, code: text, retry_in_ms: count }) },
  job_rerun: { level: 'warn', fields: z.strictObject({ ...response, code: text }) },
  upstream_cancelled: { level: 'info', fields: z.strictObject({ ...response, upstream_status: text }) },
  upstream_cancel_failed: { level: 'warn', fields: z.strictObject({ ...response, code: text, retry_in_ms: count }) },
  response_unwanted: { level: 'info', fields: z.strictObject({ ...response, cause: causeSchema }) },
  late_result_dropped: { level: 'warn', fields: z.strictObject({ ...response, upstream_status: text }) },
  tokens_wasted: {
    level: 'warn',
    fields: z.strictObject({
      job_id: text,
      response_id: text,
      model: text,
      tenant: text,
      cause: causeSchema,
      reason: text.nullable(),
      actor: text.nullable(),
      input_tokens: tokens,
      output_tokens: tokens,
      total_tokens: tokens,
      cost_usd_micros: tokens,
      late_by_ms: tokens,
      status: z.enum(['final', 'unknown']),
    }),
  },
  /** The usage of a result became known after the result. */
  usage_settled: { level: 'debug', fields: z.strictObject(response) },
  stream_opened: { level: 'info', fields: z.strictObject({ ...response, after: count }) },
  stream_broken: { level: 'warn', fields: z.strictObject({ ...response, code: text, after: count }) },
  stream_given_up: { level: 'warn', fields: z.strictObject({ ...response, code: text }) },
  stream_ended: { level: 'info', fields: z.strictObject({ ...response, last: count }) },
  callback_delivered: { level: 'debug', fields: callback },
  callback_failed: { level: 'warn', fields: callback.extend({ retry_in_ms: count }) },
  callback_given_up: { level: 'error', fields: callback },
  /** A webhook of the provider named a response whose id had been lost. */
  response_found: { level: 'warn', fields: z.strictObject(response) },
  webhook_heard: {
    level: 'debug',
    fields: z.strictObject({ response_id: text, type: text, heard: z.enum(['noted', 'again', 'over', 'stranger']) }),
  },
  /** `count`: so many were refused since the last line. */
  webhook_refused: { level: 'warn', fields: z.strictObject({ request_id: text, count }) },
  work_recovered: { level: 'info', fields: z.strictObject({ entries: count, from: z.enum(['outbox', 'patrol']) }) },
  activation_failed: { level: 'error', fields: z.strictObject({ queue: text, entry_id: text, error: text }) },
  store_lost: { level: 'error', fields: z.strictObject({ address: text, error: text }) },
  store_forgot: { level: 'error', fields: z.strictObject({ expected: count, found: count, advice: text }) },
  store_refuses: { level: 'error', fields: z.strictObject({ code: text, advice: text }) },
  store_writes: { level: 'info', fields: z.strictObject({}) },
  store_back: { level: 'info', fields: z.strictObject({ address: text }) },
  lane_away: { level: 'error', fields: z.strictObject({ lane: count, error: text }) },
  lane_taken_over: { level: 'warn', fields: z.strictObject({ lane: count }) },
  lane_given_back: { level: 'info', fields: z.strictObject({ lane: count }) },
  cancellation_interrupted: { level: 'warn', fields: z.strictObject({ cancellation_id: text, error: text }) },
  cancellation_taken_over: { level: 'info', fields: z.strictObject({ cancellation_id: text }) },
  request_answered: {
    level: 'debug',
    fields: z.strictObject({ request_id: text, method: text, route: text, http_status: count, took_ms: count }),
  },
  request_failed: { level: 'error', fields: z.strictObject({ request_id: text, error: text, at: text }) },
  setting_unknown: { level: 'warn', fields: z.strictObject({ advice: text }) },
  process_ready: { level: 'info', fields: z.strictObject({ process: text, address: text.optional() }) },
  process_stopping: { level: 'info', fields: z.strictObject({ process: text }) },
  process_stopped: { level: 'info', fields: z.strictObject({ process: text, orderly: z.boolean().optional() }) },
} as const satisfies Record<string, { level: 'debug' | 'info' | 'warn' | 'error'; fields: z.ZodObject }>;

export type EventName = keyof typeof eventTable;
export type EventFields<Name extends EventName> = z.infer<(typeof eventTable)[Name]['fields']>;
