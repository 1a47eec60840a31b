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

/** A wish to keep launches back. Without `for_ms`: 5 s, doubling. */
export interface Hold {
  /** `access`: a refused key or content, so whoever it speaks of has to be found out. */
  of: 'account' | 'model' | 'access';
  /** `alarm`: at its end one job tries · `rate`: at its end all go on. */
  kind: 'alarm' | 'rate';
  /** The key was refused, perhaps only what this job asked, or a model that is not there. */
  why?: 'key' | 'content' | 'model' | undefined;
  /** What shows that an alarm is over: any answer, one from behind the sign-in, or a success alone. */
  lifted_by?: 'answer' | 'entry' | 'success' | undefined;
  code: string;
  for_ms?: number | undefined;
  /** The refusal itself says that it will be over: it never ends a job. */
  will_pass?: boolean;
}

/** How far a launch came that ended without a response: nothing spoke, something spoke, or it was let in. */
export type Came = 'nowhere' | 'answer' | 'entry';
