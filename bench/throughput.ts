// How much the queue itself costs, on each store that is here. One line of JSON a figure, with the commit and the machine.
// `npm run bench`: seconds; a test runs it once with few jobs, so that it cannot rot.
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { cpus } from 'node:os';
import { startChild } from '../src/cli/children.ts';
import { createProducer } from '../src/producer/create-producer.ts';
import { Telemetry } from '../src/shared/runtime/telemetry.ts';
import { createWorker } from '../src/worker/create-worker.ts';

const jobs = Number(process.argv[2] ?? 2000);
const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).stdout.trim();

function report(store: string, figure: string, perSecond: number): void {
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`;
  const line = {
    date: new Date().toISOString().slice(0, 10),
    commit,
    machine,
    store,
    jobs,
    figure,
    per_second: Math.round(perSecond),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

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
  const perSecond = () => (jobs / (performance.now() - startedAt)) * 1000;
  const enqueued = await producer.enqueueMany(wishes);
  report(store, 'enqueueMany', perSecond());

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
  report(store, 'launched, polled and decided, by one worker', perSecond());

  startedAt = performance.now();
  await Promise.all(enqueued.map(({ id }) => producer.cancel(id)));
  report(store, 'verdicts of late cancels', perSecond());
  await worker.close();
  await producer.close();
  await simulator.stop();
}

const embedded = await startChild(['store', '--port', '0']);
try {
  await measure('embedded', embedded.address);
} finally {
  await embedded.stop();
}

if (spawnSync('redis-server', ['--version']).status === 0) {
  const port = await new Promise<number>(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
  const redis = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], {
    stdio: 'ignore',
  });
  try {
    await measure('redis-server', `redis://127.0.0.1:${port}`);
  } finally {
    redis.kill();
  }
} else process.stdout.write('redis-server is not on the PATH: measured on the embedded store alone.\n');
