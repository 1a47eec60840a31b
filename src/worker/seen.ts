import type { UpstreamResponse } from '../shared/contract/response.ts';
import { price } from '../shared/runtime/prices.ts';
import type { PriceSettings } from '../shared/runtime/settings.ts';
import type { Seen } from '../shared/store/lua/shapes.ts';

export interface Observation {
  response: UpstreamResponse;
  servedModel: string | undefined;
  /** As the job asked for it. */
  model: string;
}

/** What a look at the upstream tells the ledger: status, usage and its price, and what the row can be priced again from. */
export function seenOf({ response, servedModel, model }: Observation, prices: PriceSettings): Seen {
  const { usage, service_tier: serviceTier, tool_usage: toolUsage } = response;
  const named = servedModel ?? response.model;
  const seen: Seen = {
    upstream_status: response.status,
    created_at: response.created_at ? response.created_at * 1000 : undefined,
    served_model: named,
    service_tier: serviceTier ?? undefined,
    tool_usage: toolUsage ? JSON.stringify(toolUsage) : undefined,
  };
  if (!usage) return seen;
  const cost = price({ model, servedModel: named ?? null, serviceTier: serviceTier ?? null, usage }, prices);
  return {
    ...seen,
    usage: JSON.stringify(usage),
    input_tokens: usage.input_tokens,
    output_tokens: usage.output_tokens,
    total_tokens: usage.total_tokens,
    cost_usd_micros: cost.costUsdMicros ?? undefined,
    price_table: cost.table,
  };
}

/** The result as its owner sees it: without the metadata pair that we added to the create. */
export function resultBody(raw: Record<string, unknown>): string {
  const { metadata } = raw as { metadata?: Record<string, unknown> | null };
  if (!metadata || !('headstone' in metadata)) return JSON.stringify(raw);
  const { headstone, ...theirs } = metadata;
  return JSON.stringify({ ...raw, metadata: theirs });
}
