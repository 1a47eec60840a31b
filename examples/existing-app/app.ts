// An app with its own create, retrieve loop and cancel. Three lines are new: the import, the producer and `fetch`.

import { createFetch, createProducer } from 'headstone';
import { OpenAI } from 'openai';

const producer = createProducer({ connection: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' });
const openai = new OpenAI({
  apiKey: process.env.OPENAI_API_KEY ?? 'any',
  ...(process.env.OPENAI_BASE_URL ? { baseURL: process.env.OPENAI_BASE_URL } : {}),
  fetch: createFetch(producer),
});

const report = await openai.responses.create({ model: 'gpt-5.5', input: 'Write a report on tides', background: true });
let status = report.status;
while (status === 'queued' || status === 'in_progress') {
  await new Promise(resolve => setTimeout(resolve, 200));
  status = (await openai.responses.retrieve(report.id)).status;
}
console.log(`report: ${status}`);

const unwanted = await openai.responses.create({ model: 'gpt-5.5', input: 'Something else', background: true });
await openai.responses.cancel(unwanted.id);
// The provider may complete it nevertheless, but nobody who reads it here sees that.
console.log(`unwanted: ${(await openai.responses.retrieve(unwanted.id)).status}`);
await producer.close();
