// Measures what the queue itself costs on each store that is available, and prints one line of JSON per figure.
// `npm run bench:throughput` takes some seconds. A test runs it with a few jobs, so that it keeps working.
import { randomUUID } from 'node:crypto';
import { startChild } from '../src/cli/processes/children.ts';
import { createProducer } from '../src/producer/create-producer.ts';
import { Telemetry } from '../src/shared/runtime/telemetry.ts';
import { createWorker } from '../src/worker/create-worker.ts';
import { report } from './report.ts';
import { onEachStore } from './stores.ts';

const jobs = Number(process.argv[2] ?? 2000);

async function measure(store: string, connection: string): Promise<void> {
  process.env.HEADSTONE_MAX_IN_FLIGHT = '1000000';
  process.env.HEADSTONE_POLLS_PER_SECOND = '1000000';
  process.env.HEADSTONE_POLL_MIN_MS = '10';
  process.env.HEADSTONE_CONCURRENCY = 'launch=50,poll=50,settle=10';
  const prefix = `{bench-${randomUUID().slice(0, 8)}}`;
  const simulator = await startChild(['simulator', '--port', '0']);
  const producer = createProducer({ connection, prefix });
  const sim = JSON.stringify({ create_ms: 0, duration_ms: 0 });
  const wishes = Array.from({ length: jobs }, (_, n) => ({
    request: { model: 'gpt-5.5', input: `Prompt ${n}`, metadata: { sim } },
  }));

  let startedAt = performance.now();
  const perSecond = () => Math.round((jobs / (performance.now() - startedAt)) * 1000);
  const enqueued = await producer.enqueueMany(wishes);
  report({ store, jobs, figure: 'enqueueMany', per_second: perSecond() });

  const telemetry = new Telemetry();
  const allDecided = new Promise<void>(resolve => {
    let left = jobs;
    telemetry.subscribe(({ name }) => {
      if (name === 'job_decided') left -= 1;
      if (left === 0) resolve();
    });
  });
  const worker = createWorker({ connection, prefix, telemetry, openai: { apiKey: 'any', baseURL: simulator.address } });
  startedAt = performance.now();
  await worker.start();
  await allDecided;
  report({ store, jobs, figure: 'launched, polled and decided, by one worker', per_second: perSecond() });

  startedAt = performance.now();
  await Promise.all(enqueued.map(({ id }) => producer.cancel(id)));
  report({ store, jobs, figure: 'verdicts of late cancels', per_second: perSecond() });
  await worker.close();
  await producer.close();
  await simulator.stop();
}

await onEachStore(measure);
