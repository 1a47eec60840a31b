import type { UpstreamResponse } from '../shared/contract/response.ts';
import { price } from '../shared/runtime/prices.ts';
import type { PriceSettings } from '../shared/runtime/setting-formats.ts';
import type { Observation } from '../shared/store/lua/shapes.ts';

export interface ObservedResponse {
  response: UpstreamResponse;
  servedModel: string | undefined;
  /** The model that the job asked for. */
  model: string;
  /** The completion window that the job asked for: `2h`, `8h`. */
  completionWindow: string | undefined;
}

/** What a response shows the ledger: its status, its usage with a price, and what the row can be priced from again. */
export function observe(observed: ObservedResponse, prices: PriceSettings): Observation {
  const { response, servedModel, model, completionWindow } = observed;
  const { usage, service_tier: serviceTier, tool_usage: toolUsage } = response;
  const named = servedModel ?? response.model;
  const observation: Observation = {
    upstream_status: response.status,
    created_at: response.created_at ? response.created_at * 1000 : undefined,
    served_model: named,
    service_tier: serviceTier ?? undefined,
    tool_usage: toolUsage ? JSON.stringify(toolUsage) : undefined,
  };
  if (!usage) return observation;
  const cost = price(
    { model, servedModel: named ?? null, serviceTier: serviceTier ?? null, completionWindow, usage },
    prices,
  );
  return {
    ...observation,
    usage: JSON.stringify(usage),
    input_tokens: usage.input_tokens,
    output_tokens: usage.output_tokens,
    total_tokens: usage.total_tokens,
    cost_usd_micros: cost.costUsdMicros ?? undefined,
    price_table: cost.table,
  };
}
