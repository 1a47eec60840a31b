import { type Attributes, SpanKind } from '@opentelemetry/api';
import type { LedgerRow } from '../contract/ledger.ts';
import { isOutcome, isResult } from '../contract/words.ts';
import { count, measure, toldSpan } from '../runtime/tracing.ts';
import type { JobRecord } from './record.ts';
import type { Store } from './store.ts';

/** What the provider is called by OpenTelemetry, by its base URL. */
export type ProviderName = 'openai' | 'azure.ai.openai';

export function providerName(baseUrl: string | undefined): ProviderName {
  return /\.azure\.com\b/i.test(baseUrl ?? '') ? 'azure.ai.openai' : 'openai';
}

/** Writes what became of jobs: a span for each when it is decided, and one for each response when its usage is settled. */
export class JobTraces {
  private readonly store: Store;
  private readonly provider: ProviderName;

  /** `baseUrl` is the provider's. */
  constructor(store: Store, baseUrl: string | undefined) {
    this.store = store;
    this.provider = providerName(baseUrl);
  }

  async decided(id: string): Promise<void> {
    const record = await this.store.record(id);
    if (!record || !isOutcome(record.status)) return;
    toldSpan(`job ${record.model}`, {
      kind: SpanKind.INTERNAL,
      parent: record.trace,
      from: record.created_at,
      to: record.decided_at ?? record.created_at,
      attributes: {
        'headstone.job.id': id,
        'headstone.job.status': record.status,
        'headstone.tenant': record.tenant,
        ...(record.cause === undefined ? {} : { 'headstone.cause': record.cause }),
      },
      error: record.status === 'failed' ? (record.code ?? 'failed') : undefined,
    });
    // The usage of most results is known with them.
    if (isResult(record.status) && record.response_id !== undefined) await this.settled(record.response_id);
  }

  /** Every usage is counted once, wasted or used, whoever settles it and however often. */
  async settled(responseId: string): Promise<void> {
    const row = await this.store.row(responseId);
    const lane = row && (await this.store.laneOf(row.job_id));
    if (!row || !lane) return;
    const { reply } = await lane.run('count_usage', { response_id: responseId });
    if (reply !== 'counted' && reply !== 'known_at_last') return;
    const about = this.aboutOf(row);
    if (reply === 'counted') this.tellEnd(row, await lane.record(row.job_id), about);
    if (row.usage) countTokens(row.usage, about);
  }

  /** The attributes that spans and metrics have in common. */
  private aboutOf(row: LedgerRow) {
    return {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': this.provider,
      'gen_ai.request.model': row.model,
      ...(row.served_model === null ? {} : { 'gen_ai.response.model': row.served_model }),
      'headstone.kind': row.kind ?? 'used',
      'headstone.tenant': row.tenant,
      ...(row.cause === null ? {} : { 'headstone.cause': row.cause }),
    };
  }

  private tellEnd(row: LedgerRow, record: JobRecord | null, about: Attributes): void {
    const { usage } = row;
    const to = Math.max(record?.decided_at ?? row.at, row.at) + (row.late_by_ms ?? 0);
    const error = row.upstream_status === 'failed' ? 'failed' : undefined;
    toldSpan(`chat ${row.model}`, {
      kind: SpanKind.CLIENT,
      parent: record?.trace,
      from: row.at,
      to,
      error,
      attributes: {
        ...about,
        'openai.api.type': 'responses',
        'gen_ai.response.id': row.response_id,
        'headstone.job.id': row.job_id,
        ...(row.cost_usd_micros === null ? {} : { 'headstone.cost_usd_micros': row.cost_usd_micros }),
        ...(usage && {
          'gen_ai.usage.input_tokens': usage.input_tokens,
          'gen_ai.usage.output_tokens': usage.output_tokens,
          'gen_ai.usage.cache_read.input_tokens': usage.input_tokens_details?.cached_tokens ?? 0,
          'gen_ai.usage.reasoning.output_tokens': usage.output_tokens_details?.reasoning_tokens ?? 0,
        }),
      },
    });
    const seconds = (to - row.at) / 1000;
    measure('gen_ai.client.inference.duration', 's', 'From the launch to the end.', seconds, {
      ...about,
      ...(error === undefined ? {} : { 'error.type': error }),
    });
  }
}

function countTokens(usage: NonNullable<LedgerRow['usage']>, about: Attributes): void {
  for (const name of ['input_tokens', 'output_tokens'] as const)
    count(`gen_ai.client.inference.usage.${name}`, '{token}', 'Tokens that were charged.', usage[name], about);
}
