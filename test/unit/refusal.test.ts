import { expect, test } from 'vitest';
import type { CallFailure } from '../../src/provider/answers.ts';
import { answerToFailedCreate, retryAfterMs } from '../../src/provider/refusal.ts';

const failure = (facts: Partial<CallFailure>): CallFailure => ({
  status: null,
  code: null,
  type: null,
  param: null,
  message: null,
  headers: undefined,
  connectionCode: null,
  stoodBefore: false,
  timedOut: false,
  ...facts,
});
const inOpenAiShape = { message: 'So it is.' };

test.for<[string, Partial<CallFailure>, object]>([
  [
    '400 of this request',
    { status: 400, code: 'invalid_prompt', ...inOpenAiShape },
    { kind: 'refused', next: 'failed' },
  ],
  ['422', { status: 422, ...inOpenAiShape }, { kind: 'refused', next: 'failed', code: 'http_422' }],
  ['400 of a gateway', { status: 400 }, { kind: 'unknown', code: 'http_400' }],
  ['408', { status: 408, ...inOpenAiShape }, { kind: 'unknown' }],
  ['409', { status: 409, ...inOpenAiShape }, { kind: 'unknown' }],
  [
    '401, whatever the body',
    { status: 401 },
    { kind: 'refused', next: 'queued', hold: { of: 'access', why: 'key', kind: 'alarm' } },
  ],
  ['403, whatever the body', { status: 403 }, { kind: 'refused', hold: { of: 'access', why: 'content' } }],
  ['413 of a gateway', { status: 413 }, { kind: 'refused', next: 'failed', code: 'http_413' }],
  ['429 of a gateway', { status: 429 }, { kind: 'refused', next: 'queued', hold: { of: 'model', kind: 'rate' } }],
  [
    '429 that no waiting satisfies',
    { status: 429, code: 'rate_limit_exceeded', message: 'Request too large for gpt-5.5: it must be reduced.' },
    { kind: 'refused', next: 'failed', message: 'Request too large for gpt-5.5: it must be reduced.' },
  ],
  [
    '501 with a body that says why',
    { status: 501, message: 'Not implemented here.' },
    { kind: 'unknown', code: 'http_501', message: 'Not implemented here.' },
  ],
  [
    '404 of a model',
    { status: 404, code: 'model_not_found', ...inOpenAiShape },
    { hold: { of: 'model', kind: 'alarm' } },
  ],
  [
    '403 of a model that this project may not use',
    { status: 403, code: 'model_not_found', ...inOpenAiShape },
    { kind: 'refused', hold: { of: 'model', kind: 'alarm' } },
  ],
  [
    '404 of a base URL without /v1',
    { status: 404, type: 'invalid_request_error', message: 'Invalid URL (POST /responses)' },
    { kind: 'refused', code: 'no_such_url', hold: { of: 'account', kind: 'alarm' } },
  ],
  [
    '404 of a resource that Azure does not know',
    { status: 404, code: '404', message: 'Resource not found' },
    { code: 'no_such_url', hold: { of: 'account' } },
  ],
  [
    '404 of a model, in words alone',
    { status: 404, code: '404', message: 'litellm.NotFoundError: The model `m` does not exist.' },
    { code: 'model_not_found', hold: { of: 'model' } },
  ],
  ['404 with a number for a code', { status: 404, code: '404', message: 'No such thing.' }, { next: 'failed' }],
  [
    '404 of a file that the request names',
    { status: 404, message: 'File cfile_1 not found on container cntr_1' },
    { kind: 'refused', next: 'failed' },
  ],
  ['404 of a model, as vLLM says it', { status: 404, param: 'model', ...inOpenAiShape }, { hold: { of: 'model' } }],
  ['404 of Azure', { status: 404, code: 'DeploymentNotFound', ...inOpenAiShape }, { hold: { of: 'model' } }],
  ['429', { status: 429, code: 'rate_limit_exceeded', ...inOpenAiShape }, { hold: { of: 'model', kind: 'rate' } }],
  [
    '429 of the quota',
    { status: 429, code: 'insufficient_quota', ...inOpenAiShape },
    { hold: { of: 'account', kind: 'alarm' } },
  ],
  [
    '429 of a spend limit',
    { status: 429, code: 'project_spend_limit_exceeded', ...inOpenAiShape },
    { hold: { of: 'account' } },
  ],
  ['429 by type alone', { status: 429, type: 'insufficient_quota', ...inOpenAiShape }, { hold: { of: 'account' } }],
  ['500', { status: 500, ...inOpenAiShape }, { kind: 'unknown', code: 'http_500' }],
  ['503', { status: 503, ...inOpenAiShape }, { kind: 'unknown' }],
  [
    '503 overloaded',
    { status: 503, code: 'server_is_overloaded', ...inOpenAiShape },
    { kind: 'refused', hold: { kind: 'rate' } },
  ],
  [
    'a refused connection',
    { connectionCode: 'ECONNREFUSED' },
    {
      kind: 'refused',
      code: 'no_route',
      message: 'The provider cannot be reached (ECONNREFUSED).',
      hold: { of: 'account' },
    },
  ],
  ['a name that does not resolve', { connectionCode: 'ENOTFOUND' }, { kind: 'refused', code: 'no_route' }],
  [
    'no route, on a connection that stood',
    { connectionCode: 'EHOSTUNREACH', stoodBefore: true },
    { kind: 'unknown', code: 'EHOSTUNREACH' },
  ],
  ['a connection that broke', { connectionCode: 'ECONNRESET' }, { kind: 'unknown', code: 'ECONNRESET' }],
  ['a time-out', { timedOut: true }, { kind: 'unknown', code: 'timeout' }],
])('a create that ends in %s', ([, facts, expected]) => {
  expect(answerToFailedCreate(failure(facts), 'm')).toMatchObject(expected);
});

test('retry-after: seconds, a date, milliseconds, at most ten minutes', () => {
  const after = (headers: Record<string, string>) => retryAfterMs(new Headers(headers));
  expect(after({ 'retry-after': '2' })).toBe(2000);
  expect(after({ 'retry-after': '2', 'retry-after-ms': '150' })).toBe(150);
  expect(after({ 'retry-after': '86400' })).toBe(600_000);
  expect(after({ 'retry-after': new Date(Date.now() + 30_000).toUTCString() })).toBeGreaterThan(28_000);
  expect(after({ 'retry-after': 'soon' })).toBeUndefined();
  expect(after({})).toBeUndefined();
});
