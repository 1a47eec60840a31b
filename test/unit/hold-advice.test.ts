import { expect, test } from 'vitest';
import { holdAdvice } from '../../src/shared/contract/holds.ts';

test.for([
  ['invalid_api_key', 'alarm', /OPENAI_API_KEY.*One job is tried each minute/],
  ['http_401', 'alarm', /OPENAI_API_KEY/],
  ['403', 'alarm', /permissions of OPENAI_API_KEY/],
  ['credit_balance_exhausted', 'alarm', /billing/],
  ['project_spend_limit_exceeded', undefined, /billing/],
  ['DeploymentNotFound', 'alarm', /no model or deployment/],
  ['a_code_of_a_gateway', 'alarm', /^One job is tried each minute/],
  ['server_is_overloaded', 'rate', /^The provider is limiting requests\. Launching resumes by itself\.$/],
  ['invalid_api_key', 'rate', /^The provider is limiting requests/],
  ['rate_limit_exceeded', undefined, /^The provider is limiting requests/],
  ['tokens', undefined, /^The provider is limiting requests/],
  ['authentication_error', undefined, /^One job is tried each minute/],
  ['constructor', undefined, /^One job is tried each minute/],
] as const)('a hold by %s, of the kind %s, says what to do and what happens', ([code, kind, words]) => {
  expect(holdAdvice(code, kind)).toMatch(words);
});
