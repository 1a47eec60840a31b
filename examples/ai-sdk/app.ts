// The Vercel AI SDK, with another base URL. It has no background responses; its calls become jobs.
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, isStepCount, streamText, tool } from 'ai';
import { z } from 'zod';

const openai = createOpenAI({
  baseURL: process.argv[2] ?? 'http://127.0.0.1:3000/v1',
  apiKey: process.env.HEADSTONE_API_KEY ?? 'any',
});
const model = openai('gpt-5.5');

const weather = tool({
  description: 'The weather in a city',
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}`,
});
const { text, steps } = await generateText({
  model,
  prompt: 'Can we sail tomorrow?',
  tools: { weather },
  stopWhen: isStepCount(3),
});
console.log(`report: ${steps.length} steps: ${text}`);

// The user closes the tab: the job is cancelled, at the provider too, and what it costs all the same is booked as waste.
const tab = new AbortController();
const { fullStream } = streamText({ model, prompt: 'Something else', abortSignal: tab.signal });
for await (const part of fullStream) if (part.type === 'text-delta') tab.abort();
console.log('unwanted: aborted');
