import { OpenAI } from 'openai';
import { compete } from './contestant.ts';
import { startHops } from './start-hops.ts';

await compete(async (task, finished) => {
  const openai = new OpenAI({ apiKey: 'any', baseURL: task.providerUrl });
  await startHops(task, finished, {
    create: async body => (await openai.responses.create({ ...body, background: true })).id,
    retrieve: async id => (await openai.responses.retrieve(id)).status ?? '',
  });
});
