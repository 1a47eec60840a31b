import { z } from 'zod';
import { type Job, type JobSummary, launchSchema, type Tombstone, timelineEntrySchema } from '../contract/job.ts';
import { type LedgerRow, ledgerRowSchema } from '../contract/ledger.ts';
import { type UpstreamResponse, usageSchema } from '../contract/response.ts';
import { causeSchema, isOutcome, isResult, jobStatusSchema, onUnknownLaunchSchema } from '../contract/words.ts';

const number = z.coerce.number();

/** The hash of a job as Redis gives it back: strings, and nothing where nothing was written. */
const recordSchema = z.looseObject({
  id: z.string(),
  status: jobStatusSchema,
  model: z.string(),
  tenant: z.string(),
  tags: z.string().transform(text => z.array(z.string()).parse(JSON.parse(text))),
  priority: number,
  attempts: number,
  on_unknown: onUnknownLaunchSchema,
  created_at: number,
  deadline_at: number,
  epoch: number.optional(),
  intended_at: number.optional(),
  unknown_at: number.optional(),
  running_at: number.optional(),
  missing_since: number.optional(),
  response_id: z.string().optional(),
  parked_scope: z.string().optional(),
  /** JSON: the app's own queue that hears of the outcome. */
  notify: z.string().optional(),
  /** Its response was made by somebody else; and the first look has said whose it is. */
  adopted: z.string().optional(),
  identified: z.string().optional(),
  /** `live`: launched as a stream · `polled`: it was one, and is looked at like any other · `done`: all of it is stored. */
  stream: z.enum(['live', 'polled', 'done']).optional(),
  stream_last: number.optional(),
  decided_at: number.optional(),
  cause: causeSchema.optional(),
  reason: z.string().optional(),
  actor: z.string().optional(),
  key_name: z.string().optional(),
  deleted_at: number.optional(),
  code: z.string().optional(),
  message: z.string().optional(),
});
export type JobRecord = z.infer<typeof recordSchema>;

export function parseRecord(hash: Record<string, string>): JobRecord | null {
  return hash.status === undefined ? null : recordSchema.parse(hash);
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
  };
}

/** Every response that a launch of this job is known to have made, the newest last. */
export function responseIdsOf(record: JobRecord): string[] {
  return launchesOf(record).flatMap(launch => launch.response_id ?? []);
}

function launchesOf(record: JobRecord) {
  return Object.entries(record)
    .filter(([field]) => field.startsWith('launch:'))
    .map(([, value]) => launchSchema.parse({ response_id: null, code: null, ...JSON.parse(String(value)) }))
    .sort((left, right) => left.epoch - right.epoch);
}

export interface RecordParts {
  record: JobRecord;
  rows: LedgerRow[];
  timeline: string[];
  /** The stored body, JSON. */
  result: string | null;
}

export function jobOf({ record, rows, timeline, result }: RecordParts): Job {
  // A body is shown only for an outcome that is a result, whatever lies in the store (I1).
  const hasResult = isResult(record.status);
  return {
    ...summaryOf(record),
    attempts: record.attempts,
    outcome: isOutcome(record.status)
      ? {
          status: record.status,
          at: record.decided_at ?? record.created_at,
          error: record.status === 'failed' ? errorOf(record) : null,
          result: resultState(record, hasResult, result),
        }
      : null,
    launches: launchesOf(record),
    ledger: rows,
    timeline: timeline.map(entry => timelineEntrySchema.parse(JSON.parse(entry))),
    response: hasResult && result !== null ? parseResult(result) : null,
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
  return { code: record.code ?? 'server_error', message: record.message ?? 'The run failed at the provider.' };
}

/** As it was written: it was looked at when it came. */
function parseResult(result: string): UpstreamResponse {
  return JSON.parse(result) as UpstreamResponse;
}

/** A row with what only its watcher needs. */
export interface WatchedRow {
  row: LedgerRow;
  /** When the response was made: by the upstream's own word, as its row may have been opened later. */
  madeAt: number;
  /** When its job's outcome, or a newer launch, took its place; Redis' clock. */
  endedAt: number;
  cancelAcknowledged: boolean;
}

export function parseWatchedRow(hash: Record<string, string>): WatchedRow | null {
  const row = parseRow(hash);
  return (
    row && {
      row,
      madeAt: Math.min(row.at, Number(hash.created_at ?? row.at)),
      endedAt: Number(hash.ended_at ?? row.at),
      cancelAcknowledged: hash.cancel_acknowledged !== undefined,
    }
  );
}

/** A ledger row's hash as Redis gives it back. */
export function parseRow(hash: Record<string, string>): LedgerRow | null {
  if (hash.response_id === undefined) return null;
  return ledgerRowSchema.parse({
    response_id: hash.response_id,
    job_id: hash.job_id,
    model: hash.model,
    tenant: hash.tenant,
    tags: JSON.parse(hash.tags ?? '[]'),
    kind: hash.kind ?? null,
    cause: hash.cause ?? null,
    reason: hash.reason ?? null,
    actor: hash.actor ?? null,
    status: hash.status,
    usage: hash.usage === undefined ? null : usageSchema.parse(JSON.parse(hash.usage)),
    cost_usd_micros: numberOrNull(hash.cost_usd_micros),
    late_by_ms: numberOrNull(hash.late_by_ms),
    most_tokens: numberOrNull(hash.most_tokens),
    most_cost_usd_micros: numberOrNull(hash.most_cost_usd_micros),
    at: Number(hash.at),
    service_tier: hash.service_tier ?? null,
    served_model: hash.served_model ?? null,
    tool_usage: hash.tool_usage === undefined ? null : JSON.parse(hash.tool_usage),
    price_table: hash.price_table ?? null,
    upstream_status: hash.upstream_status ?? null,
  });
}

function numberOrNull(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}
