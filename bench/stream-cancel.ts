// Measures the time from the acknowledgement of a cancel to the end of the last reader's stream.
// `npm run bench:stream-cancel` uses 200 cancels. A test runs it with a few, so that it keeps working.
import { randomUUID } from 'node:crypto';
import { startChild } from '../src/cli/processes/children.ts';
import { createProducer } from '../src/producer/create-producer.ts';
import { createWorker } from '../src/worker/create-worker.ts';
import { report } from './report.ts';
import { onEachStore } from './stores.ts';

const jobs = Number(process.argv[2] ?? 200);
const READERS = 5;
const AT_ONCE = 10;

await onEachStore(async (store, connection) => {
  const prefix = `{bench-${randomUUID().slice(0, 8)}}`;
  const simulator = await startChild(['simulator', '--port', '0']);
  // In production the readers and the canceller are different processes, so they have separate producers and connections here.
  const producer = createProducer({ connection, prefix });
  const canceller = createProducer({ connection, prefix });
  const worker = createWorker({ connection, prefix, openai: { apiKey: 'any', baseURL: simulator.address } });
  await worker.start();
  const sim = JSON.stringify({ create_ms: 0, duration_ms: 60_000, deltas: 1200 });
  const lateMs: number[] = [];

  async function cancelOne(number: number): Promise<void> {
    const request = { model: 'gpt-5.5', input: `Prompt ${number}`, stream: true, metadata: { sim } };
    const { id } = await producer.enqueue(request);
    const { promise: flowing, resolve: flows } = Promise.withResolvers<void>();
    const readers = Array.from({ length: READERS }, async () => {
      let count = 0;
      for await (const _ of producer.subscribe(id)) {
        count += 1;
        if (count === 5) flows();
      }
      return performance.now();
    });
    await flowing;
    await canceller.cancel(id);
    const acknowledgedAt = performance.now();
    for (const endedAt of await Promise.all(readers)) lateMs.push(Math.max(0, endedAt - acknowledgedAt));
  }

  for (let done = 0; done < jobs; done += AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, jobs - done) }, (_, n) => cancelOne(done + n)));
  lateMs.sort((left, right) => left - right);
  const at = (share: number) => Number((lateMs[Math.floor(lateMs.length * share)] ?? 0).toFixed(1));
  report({
    store,
    jobs,
    figure: 'end of a reader’s stream after the acknowledged cancel',
    readers_of_each: READERS,
    p50_ms: at(0.5),
    p99_ms: at(0.99),
    most_ms: at(0.99999),
  });
  await worker.close();
  await Promise.all([producer.close(), canceller.close()]);
  await simulator.stop();
});
