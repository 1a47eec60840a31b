import type { Provider } from '@pydantic/genai-prices';
import type { Usage } from '../contract/response.ts';

/** Dollars for a million tokens. Some models charge another price for the whole request if its input is long. */
type Rate = number | { base: number; tiers: { start: number; price: number }[] };
type Rates = Record<string, Rate | undefined>;

/** The kinds of tokens of a text model, in the table's order. Searches are billed by call, and no usage counts them. */
const inputRates = ['input_mtok', 'cache_write_mtok', 'cache_read_mtok'];
const knownRates = new Set([...inputRates, 'output_mtok', 'web_searches_kcount', 'storage_searches_kcount']);
const knownDetails = new Set(['cached_tokens', 'cache_write_tokens']);

const MILLION = 1_000_000;

/**
 * The rates of a model, if a multiplication for each kind of token prices it as the table's own library does. Undefined for
 * models that charge for sounds and pictures, and for prices that change with the time.
 */
export function ratesOf({ models: [model] }: Provider): Rates | undefined {
  const prices = model?.prices;
  if (!prices || Array.isArray(prices)) return undefined;
  const names = Object.keys(prices);
  const isText = names.includes('input_mtok') && names.includes('output_mtok');
  return isText && names.every(name => knownRates.has(name)) ? (prices as Rates) : undefined;
}

/** The list price of a text run, in dollars; undefined for a usage that only the library can judge. */
export function listPriceUsd(rates: Rates, usage: Usage): number | undefined {
  const details = usage.input_tokens_details ?? {};
  const cached = tokensAt(details, 'cached_tokens', rates.cache_read_mtok);
  const written = tokensAt(details, 'cache_write_tokens', rates.cache_write_mtok);
  const fresh = usage.input_tokens - cached - written;
  if (!(fresh >= 0) || !Object.keys(details).every(name => knownDetails.has(name))) return undefined;
  const counts: Record<string, number> = { input_mtok: fresh, cache_write_mtok: written, cache_read_mtok: cached };
  let usd = 0;
  for (const name of Object.keys(rates)) if (name in counts) usd += cost(rates[name], counts[name] ?? 0, usage);
  return usd + cost(rates.output_mtok, usage.output_tokens, usage);
}

/** Zero if the model has no price for them: then they are priced as plain input. NaN for what is no count. */
function tokensAt(details: Record<string, unknown>, name: string, rate: Rate | undefined): number {
  const count = details[name] ?? 0;
  if (!Number.isSafeInteger(count) || Number(count) < 0 || details[name] === null) return Number.NaN;
  return rate === undefined ? 0 : Number(count);
}

/** The same operations in the same order as the library's, so that both round to the same millionth of a dollar. */
function cost(rate: Rate | undefined, tokens: number, usage: Usage): number {
  if (rate === undefined || tokens <= 0) return 0;
  if (typeof rate === 'number') return (rate * tokens) / MILLION;
  const price = rate.tiers.findLast(({ start }) => usage.input_tokens > start)?.price ?? rate.base;
  return (((price * tokens) / MILLION) * MILLION) / MILLION;
}
