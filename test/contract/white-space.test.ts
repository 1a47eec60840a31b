import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { latePlainOutcome } from '../../src/server/upgrade/plain-outcome.ts';
import { jobSchema } from '../../src/shared/contract/job.ts';
import { plainClients } from '../support/plain-clients.ts';

const said = { type: 'output_text', text: 'Tides rise.', annotations: [], logprobs: [] };
const response = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status: 'completed',
  background: true,
  error: null,
  incomplete_details: null,
  model: 'gpt-5.5',
  output: [{ id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [said] }],
  usage: {
    input_tokens: 1,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 1,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 2,
  },
};

const job = jobSchema.parse({
  id: 'resp_1',
  status: 'completed',
  model: 'gpt-5.5',
  tenant: 'default',
  tags: [],
  created_at: 1,
  deadline_at: 2,
  decided_at: 2,
  response_id: 'resp_1',
  held_by: null,
  tombstone: null,
  attempts: 1,
  outcome: null,
  launches: [],
  ledger: [],
  timeline: [],
  response,
});
const tombstone = { cause: 'cancelled', reason: 'too slow', actor: 'alice', key_name: null, at: 2 } as const;

/** Sends 200 and white space before the body, as a long wait does. */
async function startServer(body: string) {
  let calls = 0;
  const server = createServer((request, answer) => {
    calls += 1;
    request.resume();
    answer.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
    answer.write('\n');
    request.once('end', () => answer.write('\n', () => answer.end(body)));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { baseURL: `http://127.0.0.1:${port}/v1`, calls: () => calls };
}

for (const [name, clientOf] of Object.entries(plainClients)) {
  test(`${name} takes white space before a body`, async () => {
    const { baseURL } = await startServer(latePlainOutcome(job, JSON.stringify(response)));
    expect(await clientOf({ baseURL }).text('Tides')).toBe('Tides rise.');
  });

  test(`${name}, after 200: a cancel is an error that it does not send again, or at least no text`, async () => {
    const cancelled = { ...job, status: 'cancelled' as const, response: null, tombstone };
    const open = { ...response, status: 'cancelled', output: [], usage: null };
    const { baseURL, calls } = await startServer(latePlainOutcome(cancelled, JSON.stringify(open)));
    const said = await clientOf({ baseURL })
      .text('Tides')
      .catch((error: Error) => error);
    // OpenAI's own client gives the Response to the app, which has to look at its error.
    if (name === 'openai') expect(said).toBe('');
    else expect(said).toBeInstanceOf(Error);
    expect(calls()).toBe(1);
  });
}
