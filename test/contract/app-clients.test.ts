import { createRequire } from 'node:module';
import type { AzureOpenAI as AzureClient, OpenAI as Client } from 'openai';
import { OpenAI } from 'openai';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createWorker, type ForeignOpenAI } from '../../src/worker/create-worker.ts';
import { startHarness } from '../support/harness.ts';
import { answer, startUpstream } from '../support/upstream.ts';

/** Another copy of the package, whose classes are not the ones that Headstone imports. */
const foreign = createRequire(import.meta.url)('openai') as {
  OpenAI: typeof Client;
  AzureOpenAI: typeof AzureClient;
};

interface Asked {
  method: string | undefined;
  url: URL;
  headers: Record<string, unknown>;
}

/** A worker with the app's client, and the requests that its provider received. */
async function startWith(client: (baseURL: string) => unknown, refusals = 0) {
  const asked: Asked[] = [];
  let refused = 0;
  const baseURL = await startUpstream(({ method, url, headers }, _body, response) => {
    asked.push({ method, url: new URL(url ?? '', 'http://upstream'), headers });
    if (method === 'POST' && refused < refusals) {
      refused += 1;
      return answer(
        response,
        429,
        { error: { message: 'Slow down.', type: 'tokens', code: 'rate_limit_exceeded' } },
        { 'retry-after-ms': '200' },
      );
    }
    const usage = { input_tokens: 3, output_tokens: 4, total_tokens: 7 };
    const isDone = method === 'GET';
    answer(response, 200, {
      id: 'resp_of_the_app',
      object: 'response',
      status: isDone ? 'completed' : 'queued',
      output: [],
      ...(isDone ? { usage } : {}),
    });
  });
  const harness = await startHarness({ workers: 0 });
  const { redisUrl, prefix, configuration, telemetry, producer } = harness;
  const worker = createWorker({
    connection: redisUrl,
    prefix,
    configuration,
    telemetry,
    openai: client(baseURL) as ForeignOpenAI,
  });
  onTestFinished(() => worker.close());
  await worker.start();
  const { id } = await producer.enqueue({ model: 'my-deployment', input: 'Write about tides' });
  const { status } = await producer.wait(id, { timeoutMs: 20_000 });
  return { asked, status, creates: asked.filter(({ method }) => method === 'POST'), harness };
}

test('the other copy of the package is another class, or this file proves nothing', () => {
  expect(new foreign.OpenAI({ apiKey: 'x' })).not.toBeInstanceOf(OpenAI);
});

describe.each([
  ['our copy', OpenAI],
  ['CommonJS', foreign.OpenAI],
] as const)('a client of the app’s, from %s', (_name, Copy) => {
  test('keeps its key, headers and query at every call', async () => {
    const { asked, status, creates } = await startWith(
      baseURL =>
        new Copy({
          baseURL,
          apiKey: 'sk-of-the-app',
          organization: 'org-app',
          defaultHeaders: { 'x-gateway': 'inside', 'api-key': 'azure-key' },
          defaultQuery: { 'api-version': 'preview' },
          maxRetries: 5,
          logLevel: 'debug',
        }),
    );
    expect(status).toBe('completed');
    expect(creates).toHaveLength(1);
    expect(asked.length).toBeGreaterThan(1);
    for (const { headers, url } of asked) {
      expect(headers).toMatchObject({
        authorization: 'Bearer sk-of-the-app',
        'openai-organization': 'org-app',
        'x-gateway': 'inside',
        'api-key': 'azure-key',
      });
      expect(url.searchParams.get('api-version')).toBe('preview');
    }
  });

  test('I6: tries nothing again by itself, and its refusal is read as one', async () => {
    const { creates, status, harness } = await startWith(
      baseURL => new Copy({ baseURL, apiKey: 'sk-of-the-app', maxRetries: 5 }),
      1,
    );
    expect(status).toBe('completed');
    expect(creates).toHaveLength(2);
    expect(harness.events.filter(({ name }) => name === 'launches_held')).not.toEqual([]);
    for (const { headers } of creates) expect(headers['x-stainless-retry-count'] ?? '0').toBe('0');
  });
});

test('Azure’s client from CommonJS brings its version and asks Entra for each token', async () => {
  let tokens = 0;
  const { asked, status } = await startWith(
    baseURL =>
      new foreign.AzureOpenAI({
        baseURL,
        apiVersion: '2025-04-01-preview',
        azureADTokenProvider: async () => `entra-${++tokens}`,
      }),
  );
  expect(status).toBe('completed');
  for (const { headers, url } of asked) {
    expect(headers.authorization).toMatch(/^Bearer entra-\d+$/);
    expect(url.searchParams.get('api-version')).toBe('2025-04-01-preview');
  }
  expect(new Set(asked.map(({ headers }) => headers.authorization)).size).toBe(asked.length);
});
