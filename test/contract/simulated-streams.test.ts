import { OpenAI } from 'openai';
import { expect, onTestFinished, test } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { scripted } from '../support/harness.ts';

test('a long stream that is read after its end comes as fast as one that is read meanwhile', {
  timeout: 15_000,
}, async () => {
  const simulator = await startSimulator({ port: 0, speed: 1 });
  onTestFinished(() => simulator.close());
  const client = new OpenAI({ baseURL: simulator.url, apiKey: 'any' });
  const request = { ...scripted({ duration_ms: 100, deltas: 30_000 }), background: true, store: true } as const;
  const { id } = await client.responses.create({ ...request, stream: false });
  await expect.poll(async () => (await client.responses.retrieve(id)).status).toBe('completed');
  const stream = await fetch(`${simulator.url}/responses/${id}?stream=true`);
  expect((await stream.text()).match(/^event: response\.output_text\.delta$/gm)).toHaveLength(30_000);
});
