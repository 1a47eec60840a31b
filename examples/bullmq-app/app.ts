// An app with its own queues, whose worker creates background responses. Headstone adds the producer, `adopt` instead of a
// polling loop, and a queue that is told how each response ended.

import { Queue, QueueEvents, Worker } from 'bullmq';
import { createProducer } from 'headstone';
import { OpenAI } from 'openai';

const redisUrl = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';
const connection = { url: redisUrl };
const producer = createProducer({ connection: redisUrl });
const openai = new OpenAI();

const reports = new Queue<{ about: string }, string>('reports', { connection });
const reportEvents = new QueueEvents('reports', { connection });
const reportWorker = new Worker<{ about: string }, string>(
  'reports',
  async ({ data: { about } }) => {
    const { id } = await openai.responses.create({
      model: 'gpt-5.5',
      input: `Write a report on ${about}`,
      background: true,
    });
    // From here on Headstone polls the response, and a cancel is final. (`producer.enqueue` would also have launched it.)
    await producer.adopt(id, { tags: [about], notify: { queue: 'report-outcomes' } });
    return id;
  },
  { connection },
);

const ended = new Set<string>();
const { promise: allEnded, resolve } = Promise.withResolvers<void>();
const outcomeWorker = new Worker<{ id: string; status: string }>(
  'report-outcomes',
  async ({ data: { id } }) => {
    // The same note may arrive twice, and it is short. `producer.get` has the whole record.
    const job = await producer.get(id);
    console.log(`${job?.tags[0]}: ${job?.status}`);
    ended.add(id);
    if (ended.size === 2) resolve();
  },
  { connection },
);

await reports.add('report', { about: 'tides' });
const unwanted = await reports.add('report', { about: 'eels' });
const responseId = await unwanted.waitUntilFinished(reportEvents);
await producer.cancel(responseId, { reason: 'wrong animal', actor: 'alice' });

await allEnded;
for (const part of [reportWorker, outcomeWorker, reports, reportEvents, producer]) await part.close();
