import { calcPrice, extractUsage, findProvider, type Provider } from '@pydantic/genai-prices';
import { windowMsOf } from '../contract/completion-window.ts';
import type { Usage } from '../contract/response.ts';
import { UNKNOWN_MODEL } from '../contract/words.ts';
import { listPriceUsd, ratesOf } from './list-price.ts';
import type { PriceSettings } from './setting-formats.ts';

export interface Purchase {
  /** The model that was asked for; on Azure the deployment. */
  model: string;
  /** The model that the provider named, which is the one to price; null if it named none. */
  servedModel: string | null;
  serviceTier: string | null;
  /** `2h` or `8h`, which are cheaper by as much as the settings say. */
  completionWindow?: string | undefined;
  usage: Usage;
}

export interface Price {
  /** Whole millionths of a dollar; null if the model or the tier has no known price. */
  costUsdMicros: number | null;
  /** Names the price table that was used, so that the row can be priced again by another one. */
  table: string;
}

const MICROS_PER_USD = 1_000_000;

/** Finding a model in the table takes longer than pricing it, so what was found is kept (docs/decisions/0018). */
const providers = new Map<string, Provider | null>();
/** Callers choose the names of models, so the cache has a bound. */
const MOST_CACHED_MODELS = 1000;

/** The tiers on OpenAI's price page. `priority` differs by model, so it needs a setting. */
const listTiers: Record<string, number> = { default: 1, auto: 1, standard: 1, flex: 0.5, batch: 0.5 };

/** This is written here because bundlers drop other packages' package.json. A test compares it with the installed version. */
export const PRICE_TABLE = 'genai-prices@0.1.8';

/** Prices the tokens of one response. Tools that are billed by call are not included; the row keeps `tool_usage`. */
export function price(purchase: Purchase, settings: PriceSettings): Price {
  const { model, servedModel, serviceTier, completionWindow, usage } = purchase;
  // The deployment of an adopted response is known only by the name that the provider returns.
  const deployment = model === UNKNOWN_MODEL ? (servedModel ?? model) : model;
  const named = entryOf(settings.deployments, deployment) ?? servedModel ?? model;
  const own = entryOf(settings.models, model) ?? entryOf(settings.models, named);
  const table = own ? 'HEADSTONE_PRICES' : PRICE_TABLE;
  const tier = serviceTier === null ? 1 : (entryOf(settings.tiers, serviceTier) ?? entryOf(listTiers, serviceTier));
  const window = windowMsOf(completionWindow) === 0 ? 1 : entryOf(settings.windows, completionWindow ?? '');
  const listUsd = own ? ownPriceUsd(own, usage) : tablePriceUsd(named, usage);
  if (tier === undefined || window === undefined || listUsd === null) return { costUsdMicros: null, table };
  const discount =
    entryOf(settings.discounts, model) ?? entryOf(settings.discounts, named) ?? entryOf(settings.discounts, '*') ?? 0;
  const costUsdMicros = Math.round(listUsd * tier * window * (1 - discount) * MICROS_PER_USD);
  return { costUsdMicros: Number.isSafeInteger(costUsdMicros) ? costUsdMicros : null, table };
}

/** The entry of a table. A model may be called `constructor`, so only the table's own entries count. */
function entryOf<Value>(table: Record<string, Value>, name: string): Value | undefined {
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
  const provider = providerOf(model);
  if (!provider) return null;
  const rates = ratesFor(provider);
  const usd = rates && listPriceUsd(rates, usage);
  if (usd !== undefined) return usd;
  try {
    const extracted = extractUsage(provider, { model, usage }, 'responses');
    return calcPrice(extracted.usage, model, { provider })?.total_price ?? null;
  } catch {
    // Some gateways report a usage that does not add up, with more cached tokens than there are. It is booked unpriced (I3).
    return null;
  }
}

const knownRates = new WeakMap<Provider, ReturnType<typeof ratesOf>>();

function ratesFor(provider: Provider): ReturnType<typeof ratesOf> {
  if (!knownRates.has(provider)) knownRates.set(provider, ratesOf(provider));
  return knownRates.get(provider);
}

function numberAt(details: Record<string, unknown> | null | undefined, field: string): number {
  const value = details?.[field];
  return typeof value === 'number' ? value : 0;
}

/** The tokens of a model's context, input and output together; null if the price table does not know the model. */
export function contextWindowOf(model: string, settings: PriceSettings): number | null {
  return providerOf(entryOf(settings.deployments, model) ?? model)?.models[0]?.context_window ?? null;
}

/** OpenAI's part of the price table with this one model; null if the table does not know the model. */
function providerOf(model: string): Provider | null {
  const cached = providers.get(model);
  if (cached !== undefined) return cached;
  const provider = findProvider({ providerId: 'openai' });
  const found = provider && calcPrice({ input_tokens: 0, output_tokens: 0 }, model, { provider });
  const narrowed = found ? { ...found.provider, models: [found.model] } : null;
  if (providers.size >= MOST_CACHED_MODELS) providers.clear();
  providers.set(model, narrowed);
  return narrowed;
}
