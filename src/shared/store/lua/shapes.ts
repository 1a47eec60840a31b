/** Arguments that several scripts share. All times in milliseconds. */

export interface Retention {
  result_ms: number;
  record_ms: number;
  ledger_ms: number;
  sums_ms: number;
}

/** What one look at the upstream showed of a response, with the price of its usage. */
export interface Seen {
  upstream_status: string;
  /** By the upstream's clock. */
  created_at?: number | undefined;
  served_model?: string | undefined;
  service_tier?: string | undefined;
  /** JSON, as the upstream wrote it. */
  tool_usage?: string | undefined;
  /** JSON, as the upstream wrote it; the counts beside it are what Lua adds up. */
  usage?: string | undefined;
  input_tokens?: number | undefined;
  output_tokens?: number | undefined;
  total_tokens?: number | undefined;
  cost_usd_micros?: number | undefined;
  price_table?: string | undefined;
}

/** What a response cannot cost more than: for the time until its usage is known. */
export interface Most {
  tokens: number;
  /** Left out for a model without a known price. */
  cost_usd_micros?: number;
}

/** A wish to stop launches of a scope: `account` or `model:NAME`. Without `for_ms`: 5 s, doubling. */
export interface Hold {
  scope: string;
  kind: 'alarm' | 'rate';
  code: string;
  for_ms?: number | undefined;
}
