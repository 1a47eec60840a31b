import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PRICE_TABLE, price } from '../../src/shared/runtime/prices.ts';
import { type PriceSettings, priceSettingsSchema } from '../../src/shared/runtime/setting-formats.ts';
import { VERSION } from '../../src/shared/runtime/version.ts';

const usage = {
  input_tokens: 1000,
  input_tokens_details: { cached_tokens: 400 },
  output_tokens: 500,
  total_tokens: 1500,
};
const cost = (
  wish: { model?: string; servedModel?: string; serviceTier?: string },
  settings: Partial<PriceSettings> = {},
) =>
  price({ model: 'gpt-5.5', servedModel: null, serviceTier: null, usage, ...wish }, priceSettingsSchema.parse(settings))
    .costUsdMicros;

test('a known model: fresh input, cached input and output, in whole micro-dollars', () => {
  // (600 × $5 + 400 × $0.50 + 500 × $30) per million tokens.
  expect(cost({})).toBe(18_200);
});

test('an unknown model has no cost, and a deployment is priced by what it serves', () => {
  expect(cost({ model: 'acme-deployment' })).toBeNull();
  expect(cost({ model: 'acme-deployment', servedModel: 'gpt-5.5' })).toBe(18_200);
  expect(cost({ model: 'acme-deployment' }, { deployments: { 'acme-deployment': 'gpt-5.5' } })).toBe(18_200);
});

test('prices, discounts and tiers of one’s own come before the table', () => {
  const models = { mine: { input: 1, cached_input: 0.5, output: 2 } };
  expect(cost({ model: 'mine' }, { models })).toBe(1800);
  expect(cost({}, { discounts: { '*': 0.5 } })).toBe(9100);
  expect(cost({ serviceTier: 'flex' })).toBe(9100);
  expect(cost({ serviceTier: 'priority' })).toBeNull();
  expect(cost({ serviceTier: 'priority' }, { tiers: { priority: 2 } })).toBe(36_400);
});

test('the table’s version in the rows is the installed one', () => {
  const installed = new URL('../../node_modules/@pydantic/genai-prices/package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(installed, 'utf8')) as { version: string };
  expect(PRICE_TABLE).toBe(`genai-prices@${version}`);
});

test('the version that workers tell is the package’s', () => {
  const ours = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  expect(VERSION).toBe(ours.version);
});
