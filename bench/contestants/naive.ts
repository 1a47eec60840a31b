// What OpenAI's guide to background responses shows, in a BullMQ worker: it holds its slot and reads every two seconds.
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'bullmq';
import { OpenAI } from 'openai';
import { compete } from './contestant.ts';

const BETWEEN_READS_MS = 2000;

await compete(async ({ redisUrl, providerUrl, prefix, concurrency }, finished) => {
  const { hostname: host, port } = new URL(redisUrl);
  const openai = new OpenAI({ apiKey: 'any', baseURL: providerUrl });
  const worker = new Worker(
    'launch',
    async ({ data }) => {
      let response = await openai.responses.create({ ...data, background: true });
      while (response.status === 'queued' || response.status === 'in_progress') {
        await sleep(BETWEEN_READS_MS);
        response = await openai.responses.retrieve(response.id);
      }
      finished();
    },
    { connection: { host, port: Number(port), maxRetriesPerRequest: null }, prefix, concurrency },
  );
  await worker.waitUntilReady();
});
