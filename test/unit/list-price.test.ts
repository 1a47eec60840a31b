import { calcPrice, extractUsage, findProvider, type Provider } from '@pydantic/genai-prices';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { listPriceUsd, ratesOf } from '../../src/shared/runtime/list-price.ts';

const openai = findProvider({ providerId: 'openai' }) as Provider;

/** Each model that is priced by its rates alone, as part of a table that has only this model. */
const textModels = openai.models
  .map(model => ({ id: model.id, provider: { ...openai, models: [model] } }))
  .flatMap(({ id, provider }) => {
    const rates = ratesOf(provider);
    // Some ids are only a beginning, by which the library finds nothing.
    const isFound = calcPrice({ input_tokens: 0, output_tokens: 0 }, id, { provider }) !== null;
    return rates && isFound ? [{ id, provider, rates }] : [];
  });

const counts = fc.oneof(fc.nat(300), fc.nat(300_000), fc.constantFrom(0, 1, 271_999, 272_000, 1_000_000_000_000));
const usages = fc.record({
  input_tokens: counts,
  input_tokens_details: fc.option(
    fc.record({ cached_tokens: counts, cache_write_tokens: counts }, { requiredKeys: [] }),
  ),
  output_tokens: counts,
  output_tokens_details: fc.option(fc.record({ reasoning_tokens: counts })),
});

test('text models are priced to the last bit as the table’s own library prices them', () => {
  expect(textModels.length).toBeGreaterThan(60);
  let priced = 0;
  fc.assert(
    fc.property(fc.constantFrom(...textModels), usages, ({ id, provider, rates }, usage) => {
      const { input_tokens, output_tokens } = usage;
      const ours = listPriceUsd(rates, { ...usage, total_tokens: input_tokens + output_tokens });
      // What does not add up is left to the library.
      if (ours === undefined) return;
      priced += 1;
      const extracted = extractUsage(provider, { model: id, usage }, 'responses');
      expect(ours).toBe(calcPrice(extracted.usage, id, { provider })?.total_price);
    }),
    { numRuns: 5000 },
  );
  expect(priced).toBeGreaterThan(1000);
});

test.each([
  ['more cached tokens than there are', { cached_tokens: 1001 }],
  ['a count that is a text', { cached_tokens: '10' }],
  ['a count below zero', { cache_write_tokens: -1 }],
  ['a kind of tokens that is new', { audio_tokens: 10 }],
])('left to the library: %s', (_what, details) => {
  const model = textModels.find(({ id }) => id === 'gpt-5.5');
  const usage = { input_tokens: 1000, input_tokens_details: details, output_tokens: 10, total_tokens: 1010 };
  expect(model && listPriceUsd(model.rates, usage)).toBeUndefined();
});
