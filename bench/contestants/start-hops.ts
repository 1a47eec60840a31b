// BullMQ alone, with the same two activations for each job and without any promise: a create that is repeated after a crash is
// paid twice, a cancel undoes nothing, and nothing is booked.
import { Queue, Worker } from 'bullmq';
import type { Task } from './contestant.ts';

interface Client {
  /** Returns the response's id. */
  create(body: { model: string; input: string }): Promise<string>;
  /** Returns the response's status. */
  retrieve(id: string): Promise<string>;
}

export async function startHops(
  { redisUrl, prefix, concurrency, pollAfterMs }: Task,
  finished: () => void,
  client: Client,
): Promise<void> {
  const { hostname: host, port } = new URL(redisUrl);
  const options = { connection: { host, port: Number(port), maxRetriesPerRequest: null }, prefix };
  const poll = new Queue('poll', { ...options, defaultJobOptions: { removeOnComplete: true } });
  const launcher = new Worker(
    'launch',
    async ({ data }) => {
      const id = await client.create(data);
      await poll.add('poll', { id }, { delay: pollAfterMs });
    },
    { ...options, concurrency },
  );
  const poller = new Worker(
    'poll',
    async ({ data }) => {
      const status = await client.retrieve(data.id);
      if (status !== 'completed') throw new Error(`The provider answered ${status}.`);
      finished();
    },
    { ...options, concurrency },
  );
  await Promise.all([launcher.waitUntilReady(), poller.waitUntilReady()]);
}
