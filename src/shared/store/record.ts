import { z } from 'zod';
import { type Job, type JobSummary, refusalSchema, type Tombstone } from '../contract/job.ts';
import { type LedgerRow, ledgerRowSchema } from '../contract/ledger.ts';
import { type UpstreamResponse, usageSchema } from '../contract/response.ts';
import {
  causeSchema,
  isOutcome,
  isResult,
  jobStatusSchema,
  onUnknownLaunchSchema,
  UNKNOWN_MODEL,
} from '../contract/words.ts';

import { launchesOf } from './launches.ts';
import { readAs } from './read-as.ts';
import { timelineOf } from './timeline.ts';

const number = z.coerce.number();

/** A JSON list of texts. Any other value makes only this field unreadable. */
const textList = z.string().transform((text, context) => {
  const { value } = readAs(z.array(z.string()), text);
  if (!value) context.addIssue({ code: 'custom', message: 'is no list of texts' });
  return value ?? [];
});

/** The hash of a job, as Redis returns it: strings, and no field that was never written. */
const recordSchema = z.looseObject({
  id: z.string(),
  status: jobStatusSchema,
  model: z.string(),
  tenant: z.string(),
  // These are left out where they are as usual, like `usual` in Lua.
  tags: textList.default(() => []),
  priority: number.default(0),
  attempts: number.default(1),
  on_unknown: onUnknownLaunchSchema.default('fail'),
  created_at: number,
  deadline_at: number,
  epoch: number.optional(),
  intended_at: number.optional(),
  unknown_at: number.optional(),
  /** What the provider answered instead of an id. */
  unknown_says: z.string().optional(),
  running_at: number.optional(),
  missing_since: number.optional(),
  response_id: z.string().optional(),
  parked_scope: z.string().optional(),
  /** The id that a caller chose over HTTP, by which its tenant knows the job. */
  chosen_id: z.string().optional(),
  /** The provider's id of the response that this one continues. */
  predecessor: z.string().optional(),
  completion_window: z.string().optional(),
  /** The fields that the create included. Each read has to ask for them again. */
  include: textList.optional().transform(names => names ?? []),
  /** How many of them the create included, before readers asked for more. */
  own_includes: number.optional(),
  /** `fail`: it fails where an alarm would keep it back. */
  on_hold: z.literal('fail').optional(),
  /** Set while it is cancelled once nobody waits for it. */
  attended: z.string().optional(),
  /** JSON: the app's queue that is told the outcome. */
  notify: z.string().optional(),
  /** The place in the trace of whoever enqueued it, as W3C's `traceparent`. */
  trace: z.string().optional(),
  /** The URL that is told the outcome, and what was wasted. */
  callback: z.string().optional(),
  /** `adopted`: other code created the response. `identified`: the first observation has shown whose it is. */
  adopted: z.string().optional(),
  identified: z.string().optional(),
  /** `live`: the job is a stream. `polled`: it was one, and is polled now. `done`: all of its events are stored. */
  stream: z.enum(['live', 'polled', 'done']).optional(),
  stream_last: number.optional(),
  decided_at: number.optional(),
  cause: causeSchema.optional(),
  reason: z.string().optional(),
  actor: z.string().optional(),
  key_name: z.string().optional(),
  /** The bulk cancel that cancelled it. */
  cancellation: z.string().optional(),
  deleted_at: number.optional(),
  code: z.string().optional(),
  message: z.string().optional(),
  /** JSON: how the provider refused the create. */
  refusal: z.string().optional(),
});
export type JobRecord = z.infer<typeof recordSchema> & {
  /** Fields that could not be read. The other fields are right. */
  unreadable: string[];
};

/** What stands in for a required field that cannot be read. */
const stopgaps: Record<string, string> = {
  model: UNKNOWN_MODEL,
  tenant: '',
  created_at: '0',
  deadline_at: '8640000000000000',
};

/** Parses a record; null if there is none. A field that cannot be read does not hide the others, whatever was written into it. */
export function parseRecord(id: string, fields: Record<string, string>): JobRecord | null {
  if (fields.status === undefined) return null;
  const hash: Record<string, string> = { ...fields, id };
  const parsed = recordSchema.safeParse(hash);
  if (parsed.success) return { ...parsed.data, unreadable: [] };
  const unreadable = [...new Set(parsed.error.issues.map(({ path }) => String(path[0])))];
  const rest = Object.fromEntries(Object.entries(hash).filter(([field]) => !unreadable.includes(field)));
  return { ...recordSchema.parse({ ...stopgaps, ...rest }), unreadable };
}

function tombstoneOf(record: JobRecord): Tombstone | null {
  if (record.decided_at === undefined || record.cause === undefined) return null;
  return {
    cause: record.cause,
    reason: record.reason ?? null,
    actor: record.actor ?? null,
    key_name: record.key_name ?? null,
    at: record.decided_at,
  };
}

/** The beginning of the prompt. Its pieces are the fields `preview:1`, `preview:2` and so on. */
export function previewOf(record: Record<string, unknown>): string | null {
  const pieces: unknown[] = [];
  for (let piece = record['preview:1']; piece !== undefined; piece = record[`preview:${pieces.length + 1}`])
    pieces.push(piece);
  return pieces.length === 0 ? null : pieces.join('');
}

export function summaryOf(record: JobRecord): JobSummary {
  return {
    id: record.id,
    status: record.status,
    model: record.model,
    tenant: record.tenant,
    tags: record.tags,
    created_at: record.created_at,
    deadline_at: record.deadline_at,
    decided_at: record.decided_at ?? null,
    response_id: record.response_id ?? null,
    held_by: record.parked_scope ?? null,
    tombstone: tombstoneOf(record),
    preview: previewOf(record),
    chosen_id: record.chosen_id,
  };
}

/** The ids of all responses that launches of this job are known to have made, the newest last. */
export function responseIdsOf(record: JobRecord): string[] {
  return launchesOf(record).launches.flatMap(launch => launch.response_id ?? []);
}

export interface RecordParts {
  record: JobRecord;
  rows: LedgerRow[];
  timeline: string[];
  /** The stored body, JSON. */
  result: string | null;
}

export function jobOf({ record, rows, timeline, result }: RecordParts): Job {
  // A body is shown only for a result or a run that failed by itself, whatever the store has (I1).
  const hasResult = isResult(record.status);
  const response = hasResult || record.status === 'failed' ? readAs(z.looseObject({}), result).value : null;
  const { launches, unreadable } = launchesOf(record);
  const story = timelineOf(record, launches, timeline);
  return {
    ...summaryOf(record),
    attempts: record.attempts,
    callback_url: record.callback ?? null,
    outcome: isOutcome(record.status)
      ? {
          status: record.status,
          at: record.decided_at ?? record.created_at,
          error: record.status === 'failed' ? errorOf(record) : null,
          result: resultState(record, hasResult, result),
        }
      : null,
    launches: launches.map(({ acknowledged_at, ...launch }) => launch),
    ledger: rows,
    timeline: story.entries,
    // It was checked when it came, and is shown as it was written.
    response: (response as UpstreamResponse | undefined) ?? null,
    unreadable: [
      ...record.unreadable,
      ...unreadable,
      ...(story.isWhole ? [] : ['timeline']),
      ...(hasResult && result !== null && !response ? ['result'] : []),
    ],
  };
}

function resultState(
  record: JobRecord,
  hasResult: boolean,
  result: string | null,
): 'none' | 'stored' | 'expired' | 'deleted' {
  if (record.deleted_at !== undefined) return 'deleted';
  if (!hasResult) return 'none';
  return result === null ? 'expired' : 'stored';
}

function errorOf(record: JobRecord) {
  const refusal = readAs(refusalSchema, record.refusal).value;
  return {
    code: record.code ?? 'server_error',
    message: record.message ?? 'The run failed at the provider.',
    ...(refusal ? { refusal } : {}),
  };
}

/** A row, with what is needed to watch its response. */
export interface WatchedRow {
  row: LedgerRow;
  /** When the response was made, by the provider. Its row may have been opened later. */
  madeAt: number;
  completionWindow: string | undefined;
  /** When nobody wanted it any more: its job got an outcome or a newer launch. By Redis' clock. */
  endedAt: number;
  cancelAcknowledged: boolean;
  /** True if the provider said that it has ended, and nobody has looked since. */
  isHinted: boolean;
  /** The messages that hinted so far, as the row has them; empty if there was none. */
  heard: string;
}

export function parseWatchedRow(hash: Record<string, string>): WatchedRow | null {
  const row = parseRow(hash);
  return (
    row && {
      row,
      madeAt: Math.min(row.at, Number(hash.created_at ?? row.at)),
      completionWindow: hash.completion_window,
      endedAt: Number(hash.ended_at ?? row.at),
      cancelAcknowledged: hash.cancel_acknowledged !== undefined,
      isHinted: hash.hinted !== undefined,
      heard: hash.heard ?? '',
    }
  );
}

/** Parses a ledger row from its hash; null if there is none. */
export function parseRow(hash: Record<string, string>): LedgerRow | null {
  if (hash.response_id === undefined) return null;
  // "tokens cost", "tokens none" or "none". The version before wrote 0 for a cost without a price.
  const [, likelyTokens, likelyCost] = /^(\d+) (?:none|0|(\d+))$/.exec(hash.likely ?? '') ?? [];
  return ledgerRowSchema.parse({
    response_id: hash.response_id,
    job_id: hash.job_id,
    model: hash.model,
    tenant: hash.tenant,
    tags: readAs(z.array(z.string()), hash.tags).value ?? [],
    kind: hash.kind ?? null,
    cause: hash.cause ?? null,
    reason: hash.reason ?? null,
    actor: hash.actor ?? null,
    cancellation: hash.cancellation ?? null,
    status: hash.status,
    usage: readAs(usageSchema, hash.usage).value ?? null,
    cost_usd_micros: numberOrNull(hash.cost_usd_micros),
    late_by_ms: numberOrNull(hash.late_by_ms),
    likely_tokens: numberOrNull(likelyTokens),
    likely_cost_usd_micros: numberOrNull(likelyCost),
    most_tokens: numberOrNull(hash.most_tokens),
    most_cost_usd_micros: numberOrNull(hash.most_cost_usd_micros),
    at: Number(hash.at),
    service_tier: hash.service_tier ?? null,
    served_model: hash.served_model ?? null,
    tool_usage: readAs(z.looseObject({}), hash.tool_usage).value ?? null,
    price_table: hash.price_table ?? null,
    upstream_status: hash.upstream_status ?? null,
    chosen_job_id: hash.chosen_job_id,
  });
}

function numberOrNull(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}
