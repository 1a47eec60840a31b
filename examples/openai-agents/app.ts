// The OpenAI Agents SDK, with another base URL. Each turn of an agent becomes a job.
import { Agent, OpenAIProvider, Runner, tool } from '@openai/agents';
import { z } from 'zod';

const runner = new Runner({
  modelProvider: new OpenAIProvider({
    baseURL: process.argv[2] ?? 'http://127.0.0.1:3000/v1',
    apiKey: process.env.HEADSTONE_API_KEY ?? 'any',
    useResponses: true,
  }),
  tracingDisabled: true,
});

const weather = tool({
  name: 'weather',
  description: 'The weather in a city',
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}`,
});
const skipper = new Agent({ name: 'Skipper', instructions: 'Answer briefly.', model: 'gpt-5.5', tools: [weather] });
const { finalOutput } = await runner.run(skipper, 'Can we sail tomorrow?');
console.log(`report: ${finalOutput}`);

// The user closes the tab: the job is cancelled, at the provider too, and what it costs all the same is booked as waste.
const tab = new AbortController();
const writer = new Agent({ name: 'Writer', model: 'gpt-5.5' });
const run = await runner.run(writer, 'Something else', { stream: true, signal: tab.signal });
for await (const _ of run.toTextStream()) tab.abort();
console.log('unwanted: aborted');
