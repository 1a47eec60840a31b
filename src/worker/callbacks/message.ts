import { createHash } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { LedgerRow } from '../../shared/contract/ledger.ts';
import { isOutcome } from '../../shared/contract/words.ts';
import type { JobRecord } from '../../shared/store/record.ts';

export interface Message {
  /** The same each time that this message is sent, so that a receiver knows a copy. */
  id: string;
  /** The value of `type` in the body. */
  type: string;
  body: string;
}

/** Tells how a job ended; null while it is open. The status is the record's, so after a cancel that won it is never `completed` (I1). */
export function outcomeMessage(record: JobRecord, deployment: string): Message | null {
  const { id, status, decided_at: decidedAt } = record;
  if (!isOutcome(status) || decidedAt === undefined) return null;
  return message(`job.${status}`, decidedAt, [deployment, id, decidedAt], {
    id: record.chosen_id ?? id,
    status,
    model: record.model,
    tenant: record.tenant,
    tags: record.tags,
    error: status === 'failed' ? { code: record.code ?? 'server_error' } : null,
    reason: record.reason ?? null,
    actor: record.actor ?? null,
  });
}

/** Tells what an unwanted response cost, once that is known or will not become known. */
export function wasteMessage(
  row: LedgerRow,
  { decided_at: decidedAt = 0 }: JobRecord,
  deployment: string,
): Message | null {
  if (row.kind !== 'wasted' || row.status === 'pending') return null;
  const settledAt = Math.max(row.at, decidedAt) + (row.late_by_ms ?? 0);
  return message('tokens.wasted', settledAt, [deployment, row.response_id, row.status], {
    id: row.chosen_job_id ?? row.job_id,
    response_id: row.response_id,
    status: row.status,
    model: row.model,
    tenant: row.tenant,
    tags: row.tags,
    cause: row.cause,
    reason: row.reason,
    actor: row.actor,
    input_tokens: row.usage?.input_tokens ?? null,
    output_tokens: row.usage?.output_tokens ?? null,
    total_tokens: row.usage?.total_tokens ?? null,
    cost_usd_micros: row.cost_usd_micros,
  });
}

function message(type: string, at: number, names: unknown[], data: object): Message {
  const digest = createHash('sha256')
    .update(JSON.stringify([type, ...names]))
    .digest('hex');
  return {
    id: `msg_${digest.slice(0, 32)}`,
    type,
    body: JSON.stringify({ type, timestamp: new Date(at).toISOString(), data }),
  };
}

/** The headers of a message, signed now as Standard Webhooks says. */
export function signedHeaders({ id, body }: Message, secret: string): Record<string, string> {
  const at = new Date();
  return {
    'content-type': 'application/json',
    'user-agent': 'headstone',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, at, body),
  };
}
