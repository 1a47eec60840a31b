/** Arguments that several scripts share. */

/**
 * What a process tells every script: how long things are kept, in milliseconds, and how it publishes. Lua passes these on to
 * Redis, and a text costs less to pass on than a number.
 */
export interface ScriptSettings {
  result_ms: string;
  record_ms: string;
  ledger_ms: string;
  sums_ms: string;
  publish: 'PUBLISH' | 'SPUBLISH';
}

/** What the provider showed of a response at one moment, with the price of its usage. */
export interface Observation {
  upstream_status: string;
  /** Milliseconds, by the provider's clock. */
  created_at?: number;
  served_model?: string;
  service_tier?: string;
  /** The provider's own JSON. */
  tool_usage?: string;
  /** The provider's own JSON. Lua adds up the counts below. */
  usage?: string;
  input_tokens?: number;
  output_tokens?: number;
  total_tokens?: number;
  cost_usd_micros?: number;
  price_table?: string;
}

/** The most that a response can cost. It stands in for the cost until the usage is known. */
export interface CostBound {
  tokens: number;
  /** Left out for a model without a known price. */
  cost_usd_micros?: number;
}

/** How the provider refused a create, for a caller who is to see what a plain create would have shown. */
export interface Refusal {
  http_status?: number | undefined;
  type?: string | undefined;
  /** The part of the request that the error names. */
  param?: string | undefined;
}

/** How far a launch came that ended without a response: nothing answered, something answered, or it passed the sign-in. */
export type Came = 'nowhere' | 'answer' | 'entry';
