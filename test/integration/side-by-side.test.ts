import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import { Queue, Worker } from 'bullmq';
import Fastify from 'fastify';
import { expect, inject, onTestFinished, test } from 'vitest';
import { type Harness, scripted, startHarness } from '../support/harness.ts';

test.for([
  { how: 'prefixes that begin alike', suffix: ':two', database: '/0' },
  { how: 'one prefix in two numbered databases', suffix: '', database: '/1' },
])('I12: two deployments in one Redis never meet: $how', async ({ suffix, database }) => {
  const first = await startHarness();
  const redisUrl = new URL(database, inject('redisUrl')).href;
  const second = await startHarness({ prefix: `${first.prefix}${suffix}`, redisUrl, workers: 0 });
  // The same id names a different job in each deployment, and a cancel in one does not affect the other.
  await second.producer.enqueue(scripted(), { id: 'same', tags: ['shared'] });
  const waiting = second.producer.wait('same');
  await first.producer.enqueue(scripted({ duration_ms: 400, flip_after_ms: 50 }), { id: 'same', tags: ['shared'] });
  await first.happened('launch_acknowledged');
  expect(await first.producer.cancel('same')).toEqual({ verdict: 'cancelled' });
  await first.happened('tokens_wasted');
  expect(await second.producer.get('same')).toMatchObject({ status: 'queued', launches: [] });
  expect(await second.producer.list({ tag: 'shared' })).toHaveLength(1);
  // No worker of one deployment takes a job of the other, as their two simulators show.
  await second.startWorker();
  expect(await waiting).toMatchObject({ status: 'completed' });
  expect(await first.producer.get('same')).toMatchObject({ status: 'cancelled' });
  for (const { simulatorLedger } of [first, second]) expect(await simulatorLedger()).toMatchObject({ creates: 1 });
  expect((await first.producer.waste()).totals).toMatchObject({ responses: 1, used_responses: 0 });
  expect((await second.producer.waste()).totals).toMatchObject({ responses: 0, used_responses: 1 });
  // The metadata of an orphan names its deployment, and each deployment has a different id.
  const marks = await Promise.all([first, second].map(markOf));
  expect(new Set(marks).size).toBe(2);
});

async function markOf({ simulatorLedger }: Harness): Promise<string | undefined> {
  return (await simulatorLedger()).responses[0]?.metadata.headstone?.split('/')[0];
}

test('an app’s own BullMQ queues of the same names, on BullMQ’s prefix, are another matter', async () => {
  const { producer, redisUrl, prefix } = await startHarness();
  const { hostname: host, port } = new URL(redisUrl);
  const options = { connection: { host, port: Number(port) }, prefix: `bull-${prefix}` };
  const done: string[] = [];
  const queues = ['launch', 'poll', 'settle'].map(name => new Queue<{ word: string }>(name, options));
  const workers = queues.map(
    ({ name }) =>
      new Worker<{ word: string }>(
        name,
        async job => {
          done.push(job.data.word);
        },
        options,
      ),
  );
  onTestFinished(async () => {
    await Promise.all(workers.map(worker => worker.close()));
    for (const queue of queues) await queue.obliterate({ force: true });
    await Promise.all(queues.map(queue => queue.close()));
  });
  for (const queue of queues) await queue.add('mail', { word: queue.name });
  const { id } = await producer.enqueue(scripted());
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  await expect.poll(() => done.sort()).toEqual(['launch', 'poll', 'settle']);
});

test('I1, I13: producer.queues on the app’s own Bull Board: entries without a prompt or a result', async () => {
  const { producer, happened } = await startHarness();
  const serverAdapter = new FastifyAdapter();
  // A job's entries are in the queues of its lane.
  const id = 'shown';
  const { queues: shown } = await producer.store.laneOf(id);
  createBullBoard({ queues: shown.all.map(queue => new BullMQAdapter(queue)), serverAdapter });
  const app = Fastify();
  await app.register(serverAdapter.registerPlugin());
  onTestFinished(() => app.close());
  await producer.enqueue(scripted({ duration_ms: 300, flip_after_ms: 50 }, 'A secret prompt'), { id });
  await happened('launch_acknowledged');
  await producer.cancel(id);
  await happened('tokens_wasted');
  // The board returns the entries of one queue at a time.
  for (const name of ['launch', 'poll', 'settle', 'callback']) {
    const { body } = await app.inject(`/api/queues?activeQueue=${name}&status=latest&page=1&jobsPerPage=10`);
    const { queues } = JSON.parse(body) as { queues: { name: string; jobs: { data: unknown }[] }[] };
    expect(queues.map(queue => queue.name).sort()).toEqual(['callback', 'launch', 'poll', 'settle']);
    if (name === 'launch') expect(queues.find(queue => queue.name === name)?.jobs).toMatchObject([{ data: { id } }]);
    for (const secret of ['secret prompt', 'Here is what there is to say']) expect(body).not.toContain(secret);
  }
});
