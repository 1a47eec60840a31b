// A loop that only parks and polls, with the client that Headstone's worker has.
import { DelayedError, Worker } from 'bullmq';
import { openUpstream } from '../../src/provider/upstream.ts';
import { compete } from './contestant.ts';

await compete(async ({ redisUrl, providerUrl, prefix, concurrency, pollAfterMs }) => {
  const { hostname: host, port } = new URL(redisUrl);
  const openai = { apiKey: 'any', baseURL: providerUrl };
  const upstream = await openUpstream({ openai, launchTimeoutMs: 60_000 });
  const { signal } = new AbortController();
  const worker = new Worker(
    'poll',
    async (job, token) => {
      await upstream.retrieve(job.data.id, { signal, include: [] });
      await job.moveToDelayed(Date.now() + pollAfterMs, token);
      throw new DelayedError();
    },
    { connection: { host, port: Number(port), maxRetriesPerRequest: null }, prefix, concurrency },
  );
  await worker.waitUntilReady();
});
