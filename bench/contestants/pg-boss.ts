// The same two activations on pg-boss, with its batches and bursts, and without any promise.
import { OpenAI } from 'openai';
import { PgBoss } from 'pg-boss';
import { compete } from './contestant.ts';

const fast = { pollingIntervalSeconds: 0.5, burstWhenBatchFull: true };

await compete(async ({ postgresUrl, providerUrl, concurrency, pollAfterMs }, finished) => {
  if (postgresUrl === undefined) throw new Error('There is no PostgreSQL.');
  const openai = new OpenAI({ apiKey: 'any', baseURL: providerUrl });
  const boss = new PgBoss(postgresUrl);
  boss.on('error', error => process.stderr.write(`${error}\n`));
  await boss.start();
  await Promise.all(['launch', 'poll'].map(name => boss.createQueue(name)));
  await boss.work<{ model: string; input: string }>('launch', { ...fast, batchSize: concurrency }, async jobs => {
    const ids = await Promise.all(
      jobs.map(async ({ data }) => (await openai.responses.create({ ...data, background: true })).id),
    );
    const startAfter = new Date(Date.now() + pollAfterMs);
    await boss.insert(
      'poll',
      ids.map(id => ({ data: { id }, startAfter })),
    );
  });
  await boss.work<{ id: string }>('poll', { ...fast, batchSize: concurrency }, async jobs => {
    const read = await Promise.all(jobs.map(({ data }) => openai.responses.retrieve(data.id)));
    for (const { status } of read) if (status === 'completed') finished();
  });
});
