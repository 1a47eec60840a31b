import { expect, test } from 'vitest';
import { costBoundOf } from '../../src/shared/runtime/cost-bound.ts';
import { priceSettingsSchema } from '../../src/shared/runtime/setting-formats.ts';

const prices = priceSettingsSchema.parse({ models: { own: { input: 1, output: 4 } } });
const most = (request: object) => costBoundOf(JSON.stringify(request), prices);

test('max_output_tokens and the length of the text bound a response', () => {
  const bound = most({ model: 'gpt-5.5', input: 'Write about tides', max_output_tokens: 1000 });
  expect(bound?.tokens).toBeGreaterThan(1000 + 'Write about tides'.length);
  expect(bound?.tokens).toBeLessThan(1300);
  // 1,000 output tokens at $30 a million cost 30,000 micro-dollars.
  expect(bound?.cost_usd_micros).toBeGreaterThan(30_000);
});

test('without max_output_tokens the model’s context is the bound', () => {
  expect(most({ model: 'gpt-5.5', input: 'x' })?.tokens).toBe(1_000_000);
});

test('a model of one’s own price and unknown context: bounded by max_output_tokens alone', () => {
  expect(most({ model: 'own', input: 'x' })).toBeNull();
  expect(most({ model: 'own', input: 'x', max_output_tokens: 10 })?.cost_usd_micros).toBeGreaterThan(40);
  const unpriced = most({ model: 'acme', input: 'x', max_output_tokens: 10 });
  expect(unpriced?.tokens).toBeGreaterThan(10);
  expect(unpriced).not.toHaveProperty('cost_usd_micros');
});

test.for([
  ['tools', { tools: [{ type: 'web_search' }] }],
  ['an earlier response', { previous_response_id: 'resp_1' }],
  ['a stored prompt', { prompt: { id: 'pmpt_1' } }],
  ['a picture', { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'https://a.example/b' }] }] }],
  ['the result of a tool', { input: [{ type: 'function_call_output', call_id: 'c', output: 'x' }] }],
] as const)('%s has no bound', ([, extra]) => {
  expect(most({ model: 'gpt-5.5', input: 'x', max_output_tokens: 10, ...extra })).toBeNull();
});

test('messages of text have one', () => {
  const content = [{ type: 'input_text', text: 'x' }];
  expect(most({ model: 'gpt-5.5', input: [{ role: 'user', content }], max_output_tokens: 10 })?.tokens).toBeLessThan(
    300,
  );
});
