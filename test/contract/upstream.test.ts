import { OpenAI } from 'openai';
import { test as base, expect, onTestFinished } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.ts';

/** The same tests for any OpenAI-compatible URL: always for the simulator, and for the real API only with HEADSTONE_LIVE=1. */
const live = process.env.HEADSTONE_LIVE === '1';
const MODEL = process.env.HEADSTONE_LIVE_MODEL ?? 'gpt-5-nano';

const test = base.extend<{ client: OpenAI }>({
  client: async ({ task: _task }, use) => {
    if (live) {
      process.stdout.write('HEADSTONE_LIVE=1: a few hundred tokens are spent at the real provider.\n');
      await use(new OpenAI());
      return;
    }
    const simulator = await startSimulator({ port: 0, speed: 10 });
    onTestFinished(() => simulator.close());
    await use(new OpenAI({ baseURL: simulator.url, apiKey: 'any' }));
  },
});

const request = {
  model: MODEL,
  input: 'Say hello.',
  background: true,
  store: true,
  metadata: { headstone: 'contract' },
} as const;

test('a background create answers at once, with an id, without a usage', async ({ client }) => {
  const created = await client.responses.create(request);
  expect(created.id).toMatch(/^resp_/);
  expect(['queued', 'in_progress']).toContain(created.status);
  expect(created.usage ?? null).toBeNull();
});

test('polled to its end it is completed, with a usage and our metadata', { timeout: 120_000 }, async ({ client }) => {
  const created = await client.responses.create(request);
  await expect
    .poll(async () => (await client.responses.retrieve(created.id)).status, { timeout: 110_000, interval: 500 })
    .toBe('completed');
  const done = await client.responses.retrieve(created.id);
  expect(done.metadata).toEqual({ headstone: 'contract' });
  expect(done.usage?.total_tokens).toBe((done.usage?.input_tokens ?? 0) + (done.usage?.output_tokens ?? 0));
});

test('a cancel answers cancelled, twice', async ({ client }) => {
  const created = await client.responses.create(request);
  expect((await client.responses.cancel(created.id)).status).toBe('cancelled');
  expect((await client.responses.cancel(created.id)).status).toBe('cancelled');
});

test('an id that never was is a 404 in OpenAI’s shape', async ({ client }) => {
  const missing = client.responses.retrieve('resp_0000000000000000000000000000000000000000000000000000');
  await expect(missing).rejects.toMatchObject({ status: 404, type: 'invalid_request_error' });
});
