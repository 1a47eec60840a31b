import { calcPrice, extractUsage, findProvider } from '@pydantic/genai-prices';
import { windowMsOf } from '../contract/completion-window.ts';
import type { Usage } from '../contract/response.ts';
import { UNKNOWN_MODEL } from '../contract/words.ts';
import type { PriceSettings } from './setting-formats.ts';

export interface Purchase {
  /** As asked for: on Azure the deployment. */
  model: string;
  /** As the upstream named it, where it did: the one to price by. */
  servedModel: string | null;
  serviceTier: string | null;
  /** `2h` or `8h`: cheaper, by as much as the settings say. */
  completionWindow?: string | undefined;
  usage: Usage;
}

export interface Price {
  /** Whole millionths of a dollar; null where model or tier have no known price. */
  costUsdMicros: number | null;
  /** Which table said so, to price the row again by another. */
  table: string;
}

const MICROS_PER_USD = 1_000_000;

/** What OpenAI's price page says of tiers; `priority` differs by model, so it needs a setting. */
const listTiers: Record<string, number> = { default: 1, auto: 1, standard: 1, flex: 0.5, batch: 0.5 };

/** Written here because bundlers drop other packages' package.json; a test compares it with the installed one. */
export const PRICE_TABLE = 'genai-prices@0.1.8';

/** Prices the tokens of one response. Tools that the provider bills by call are not in it: the row keeps `tool_usage`. */
export function price(purchase: Purchase, settings: PriceSettings): Price {
  const { model, servedModel, serviceTier, completionWindow, usage } = purchase;
  // An adopted response's deployment is known by the name alone that the upstream gives it.
  const deployment = model === UNKNOWN_MODEL ? (servedModel ?? model) : model;
  const named = of(settings.deployments, deployment) ?? servedModel ?? model;
  const own = of(settings.models, model) ?? of(settings.models, named);
  const table = own ? 'HEADSTONE_PRICES' : PRICE_TABLE;
  const tier = serviceTier === null ? 1 : (of(settings.tiers, serviceTier) ?? of(listTiers, serviceTier));
  const window = windowMsOf(completionWindow) === 0 ? 1 : of(settings.windows, completionWindow ?? '');
  const listUsd = own ? ownPriceUsd(own, usage) : tablePriceUsd(named, usage);
  if (tier === undefined || window === undefined || listUsd === null) return { costUsdMicros: null, table };
  const discount = of(settings.discounts, model) ?? of(settings.discounts, named) ?? of(settings.discounts, '*') ?? 0;
  const costUsdMicros = Math.round(listUsd * tier * window * (1 - discount) * MICROS_PER_USD);
  return { costUsdMicros: Number.isSafeInteger(costUsdMicros) ? costUsdMicros : null, table };
}

/** A model may be called `constructor`: only what stands in the table itself is found there. */
function of<Value>(table: Record<string, Value>, name: string): Value | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function ownPriceUsd(own: PriceSettings['models'][string], usage: Usage): number {
  const cachedTokens = Math.min(numberAt(usage.input_tokens_details, 'cached_tokens'), usage.input_tokens);
  const freshTokens = usage.input_tokens - cachedTokens;
  return (
    (freshTokens * own.input + cachedTokens * (own.cached_input ?? own.input) + usage.output_tokens * own.output) /
    1_000_000
  );
}

function tablePriceUsd(model: string, usage: Usage): number | null {
  const provider = findProvider({ providerId: 'openai' });
  if (!provider) return null;
  try {
    const extracted = extractUsage(provider, { model, usage }, 'responses');
    return calcPrice(extracted.usage, model, { providerId: 'openai' })?.total_price ?? null;
  } catch {
    // A usage that does not add up, as gateways make them: more cached tokens than there are. It is booked as it is (I3).
    return null;
  }
}

function numberAt(details: Record<string, unknown> | null | undefined, field: string): number {
  const value = details?.[field];
  return typeof value === 'number' ? value : 0;
}

/** Tokens that one run of a model can hold, input and output together; null for a model that nobody has described. */
export function contextWindowOf(model: string, settings: PriceSettings): number | null {
  const named = of(settings.deployments, model) ?? model;
  const nothing = { input_tokens: 0, output_tokens: 0 };
  return calcPrice(nothing, named, { providerId: 'openai' })?.model.context_window ?? null;
}
