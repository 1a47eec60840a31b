// Runs as a process with the source of an earlier version: makes one job of each kind, prints their ids as JSON, and dies as
// if by SIGKILL, so that what it has under way is left as it is. Arguments: the folder of that source, then a JSON object.
import { pathToFileURL } from 'node:url';

const [source = '', given = '{}'] = process.argv.slice(2);
const { redisUrl, prefix, upstreamUrl, settings } = JSON.parse(given);
Object.assign(process.env, settings);

const load = async (file: string) => await import(pathToFileURL(`${source}/src/${file}`).href);
const { createProducer } = await load('producer/create-producer.ts');
const { createWorker } = await load('worker/create-worker.ts');
const { Telemetry } = await load('shared/runtime/telemetry.ts');

const telemetry = new Telemetry();
const seen: Happening[] = [];
const waiting = new Set<() => void>();
telemetry.subscribe((event: Happening) => {
  seen.push(event);
  for (const look of waiting) look();
});

const producer = createProducer({ connection: redisUrl, prefix });
const openai = { apiKey: 'simulated', baseURL: upstreamUrl };
const worker = createWorker({ connection: redisUrl, prefix, openai, telemetry });
await worker.start();

const scripted = (script: object, input: string) => ({
  model: 'gpt-5.5',
  input,
  metadata: { sim: JSON.stringify({ create_ms: 0, duration_ms: 100, ...script }) },
});

interface Happening {
  name: string;
  fields: { job_id?: string };
}

/** Resolves when the worker tells of this event of a job, which is once it is on record. */
async function happened(name: string, id: string): Promise<void> {
  await new Promise<void>(resolve => {
    const look = () => {
      if (!seen.some(event => event.name === name && event.fields.job_id === id)) return;
      waiting.delete(look);
      resolve();
    };
    waiting.add(look);
    look();
  });
}

const options = { tenant: 'harbour', tags: ['nightly', 'report'] };
const completed = await producer.enqueue(scripted({}, 'completed'), options);
await producer.wait(completed.id);
const wasted = await producer.enqueue(scripted({ duration_ms: 300, flip_after_ms: 100 }, 'wasted'), options);
await happened('launch_acknowledged', wasted.id);
await producer.cancel(wasted.id, { reason: 'wrong prompt', actor: 'alice' });
await happened('tokens_wasted', wasted.id);

const watched = await producer.enqueue(scripted({ duration_ms: 6000, flip_after_ms: 4000 }, 'watched'));
await happened('launch_acknowledged', watched.id);
await producer.cancel(watched.id);
const running = await producer.enqueue(scripted({ duration_ms: 6000 }, 'running'), options);
await happened('launch_acknowledged', running.id);
const launching = await producer.enqueue(scripted({ create_ms: 20_000 }, 'launching'));
await happened('launch_intended', launching.id);
await producer.pauseLaunch(true);
const queued = await producer.enqueue(scripted({}, 'queued'), { ...options, priority: 3, attempts: 2 });
const cancelled = await producer.enqueue(scripted({}, 'cancelled'));
await producer.cancel(cancelled.id);

const ids = { completed, wasted, watched, running, launching, queued, cancelled };
const named = Object.entries(ids).map(([name, { id }]) => [name, id]);
process.stdout.write(JSON.stringify(Object.fromEntries(named)), () => process.kill(process.pid, 'SIGKILL'));
