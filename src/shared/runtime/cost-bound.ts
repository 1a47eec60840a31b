import { contextWindowOf, price } from './prices.ts';
import type { PriceSettings } from './setting-formats.ts';

/** A hundred times the largest context there is. */
const MOST_BELIEVABLE_TOKENS = 100_000_000;

/** The tokens that a provider may add around each item of an input. This is more than was ever seen. */
const FRAME_TOKENS = 32;

/**
 * The most that a request's response can cost. A token is at least one byte of text, and no run is larger than its model's
 * context. Null if nothing bounds it: tools may run any number of times, and the length of pictures, files and earlier
 * responses is not known here.
 */
export function costBoundOf(body: string, prices: PriceSettings): { tokens: number; cost_usd_micros?: number } | null {
  const request = JSON.parse(body) as Record<string, unknown>;
  const items = typeof request.input === 'string' ? [request.input] : request.input;
  if (!Array.isArray(items) || !items.every(isText) || hasMore(request)) return null;
  const model = String(request.model);
  const window = contextWindowOf(model, prices) ?? Number.POSITIVE_INFINITY;
  const inputTokens = Math.min(window, Buffer.byteLength(body) + FRAME_TOKENS * (items.length + 1));
  const outputTokens = Math.min(window, numberOr(request.max_output_tokens, Number.POSITIVE_INFINITY));
  if (outputTokens === Number.POSITIVE_INFINITY) return null;
  const tokens = Math.min(window, inputTokens + outputTokens);
  // A number that no run can reach bounds nothing and would not fit into the sums.
  if (!Number.isSafeInteger(tokens) || tokens > MOST_BELIEVABLE_TOKENS) return null;
  const { costUsdMicros } = price(
    {
      model,
      servedModel: null,
      serviceTier: typeof request.service_tier === 'string' ? request.service_tier : null,
      // Input and output are both taken at their most, even if a run cannot have both, because prices rise with the input.
      usage: { input_tokens: inputTokens, output_tokens: outputTokens, total_tokens: inputTokens + outputTokens },
    },
    prices,
  );
  return { tokens, ...(costUsdMicros === null ? {} : { cost_usd_micros: costUsdMicros }) };
}

function hasMore({ tools, previous_response_id, prompt }: Record<string, unknown>): boolean {
  return (Array.isArray(tools) && tools.length > 0) || typeof previous_response_id === 'string' || Boolean(prompt);
}

function isText(item: unknown): boolean {
  if (typeof item === 'string') return true;
  const { type = 'message', content } = item as { type?: string; content?: unknown };
  if (type !== 'message') return false;
  if (typeof content === 'string') return true;
  return Array.isArray(content) && content.every(part => part?.type === 'input_text' || part?.type === 'output_text');
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' && value >= 0 ? value : otherwise;
}
