// BullMQ alone, with the same two activations for each job and the SDK's own client, and without any promise: a create that is
// repeated after a crash is paid twice, a cancel undoes nothing, and nothing is booked.
import { Queue, Worker } from 'bullmq';
import { OpenAI } from 'openai';
import { compete } from './contestant.ts';

await compete(async ({ redisUrl, providerUrl, prefix, concurrency, pollAfterMs }, finished) => {
  const { hostname: host, port } = new URL(redisUrl);
  const connection = { host, port: Number(port), maxRetriesPerRequest: null };
  const options = { connection, prefix };
  const openai = new OpenAI({ apiKey: 'any', baseURL: providerUrl });
  const poll = new Queue('poll', { ...options, defaultJobOptions: { removeOnComplete: true } });
  const launcher = new Worker(
    'launch',
    async job => {
      const { id } = await openai.responses.create({ ...job.data, background: true });
      await poll.add('poll', { id }, { delay: pollAfterMs });
    },
    { ...options, concurrency },
  );
  const poller = new Worker(
    'poll',
    async job => {
      const { status } = await openai.responses.retrieve(job.data.id);
      if (status !== 'completed') throw new Error(`The provider answered ${status}.`);
      finished();
    },
    { ...options, concurrency },
  );
  await Promise.all([launcher.waitUntilReady(), poller.waitUntilReady()]);
});
