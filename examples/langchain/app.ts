// LangChain's ChatOpenAI on the Responses API, with another base URL. Each call becomes a job.
import { ChatOpenAI } from '@langchain/openai';
import { z } from 'zod';

const chat = new ChatOpenAI({
  model: 'gpt-5.5',
  apiKey: process.env.HEADSTONE_API_KEY ?? 'any',
  useResponsesApi: true,
  configuration: { baseURL: process.argv[2] ?? 'http://127.0.0.1:3000/v1' },
});

const place = z.object({ city: z.string() });
const { city } = await chat.withStructuredOutput(place).invoke('Where do we sail to?');
console.log(`report: ${city}`);

// The user closes the tab: the job is cancelled, at the provider too, and what it costs all the same is booked as waste.
const tab = new AbortController();
try {
  for await (const part of await chat.stream('Something else', { signal: tab.signal })) if (part.text) tab.abort();
} catch (error) {
  if (!tab.signal.aborted) throw error;
}
console.log('unwanted: aborted');
