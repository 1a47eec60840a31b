import { OpenAI } from 'openai';
import { expect, onTestFinished, test } from 'vitest';
import type { SimulatorLedger } from '../../src/simulator/ledger.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { scripted } from '../support/harness.ts';

test('a body is of one moment, and the simulator’s ledger says what it showed', async () => {
  // Time passes each time that anybody looks, so each end comes between other steps of an answer.
  let time = 0;
  const simulator = await startSimulator({ port: 0, speed: 1, now: () => ++time });
  onTestFinished(() => simulator.close());
  const client = new OpenAI({ baseURL: simulator.url, apiKey: 'any' });
  const shown = new Map<string, unknown>();
  for (let duration_ms = 2000; duration_ms < 2020; duration_ms += 1) {
    const { id } = await client.responses.create({ ...scripted({ duration_ms }), background: true, store: true });
    for (let status = 'queued'; status !== 'completed'; ) {
      const body = await client.responses.retrieve(id);
      status = body.status ?? '';
      expect(body.usage !== null, `a usage in a body that says ${status}`).toBe(status === 'completed');
      shown.set(id, body.usage);
      const ledger = (await (await fetch(new URL('/sim/ledger', simulator.url))).json()) as SimulatorLedger;
      expect(ledger.responses.find(({ response_id }) => response_id === id)?.shown).toEqual(body.usage);
    }
  }
  expect(shown.size).toBe(20);
});
