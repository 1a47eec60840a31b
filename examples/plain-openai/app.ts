// The unchanged client, with another base URL. Nothing here asks for `background`.
import { OpenAI } from 'openai';

const openai = new OpenAI({
  baseURL: process.argv[2] ?? 'http://127.0.0.1:3000/v1',
  apiKey: process.env.HEADSTONE_API_KEY ?? 'any',
});

const report = await openai.responses.create({ model: 'gpt-5.5', input: 'Write a report on tides' });
console.log(`report: ${report.output_text}`);

// The user closes the tab: the job is cancelled, at the provider too, and what it costs all the same is booked as waste.
const tab = new AbortController();
const unwanted = openai.responses.create(
  { model: 'gpt-5.5', input: 'Something else', stream: true },
  { signal: tab.signal },
);
for await (const event of await unwanted) if (event.type === 'response.output_text.delta') tab.abort();
console.log('unwanted: aborted');
