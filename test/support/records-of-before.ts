// Runs as a process with the source of an earlier version: makes one job of each kind, prints their ids as JSON, and dies as
// if by SIGKILL, so that what it has under way is left as it is. Arguments: the folder of that source, then a JSON object.
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const [source = '', given = '{}'] = process.argv.slice(2);
const { redisUrl, prefix, upstreamUrl, settings } = JSON.parse(given);
Object.assign(process.env, settings);

const load = async (file: string) => await import(pathToFileURL(`${source}/src/${file}`).href);
const { createProducer } = await load('producer/create-producer.ts');
const { createWorker } = await load('worker/create-worker.ts');

const producer = createProducer({ connection: redisUrl, prefix });
const worker = createWorker({ connection: redisUrl, prefix, openai: { apiKey: 'simulated', baseURL: upstreamUrl } });
await worker.start();

const scripted = (script: object, input: string) => ({
  model: 'gpt-5.5',
  input,
  metadata: { sim: JSON.stringify({ create_ms: 0, duration_ms: 100, ...script }) },
});

async function until(id: string, isReached: (job: { status: string; ledger: { status: string }[] }) => boolean) {
  while (!isReached(await producer.get(id))) await sleep(20);
}

const options = { tenant: 'harbour', tags: ['nightly', 'report'] };
const completed = await producer.enqueue(scripted({}, 'completed'), options);
await producer.wait(completed.id);
const wasted = await producer.enqueue(scripted({ duration_ms: 300, flip_after_ms: 100 }, 'wasted'), options);
await until(wasted.id, ({ status }) => status === 'running');
await producer.cancel(wasted.id, { reason: 'wrong prompt', actor: 'alice' });
await until(wasted.id, ({ ledger }) => ledger[0]?.status === 'final');

const watched = await producer.enqueue(scripted({ duration_ms: 6000, flip_after_ms: 4000 }, 'watched'));
await until(watched.id, ({ status }) => status === 'running');
await producer.cancel(watched.id);
const running = await producer.enqueue(scripted({ duration_ms: 6000 }, 'running'), options);
await until(running.id, ({ status }) => status === 'running');
const launching = await producer.enqueue(scripted({ create_ms: 20_000 }, 'launching'));
await until(launching.id, ({ status }) => status === 'launching');
await producer.pauseLaunch(true);
const queued = await producer.enqueue(scripted({}, 'queued'), { ...options, priority: 3, attempts: 2 });
const cancelled = await producer.enqueue(scripted({}, 'cancelled'));
await producer.cancel(cancelled.id);

const ids = { completed, wasted, watched, running, launching, queued, cancelled };
const named = Object.entries(ids).map(([name, { id }]) => [name, id]);
process.stdout.write(JSON.stringify(Object.fromEntries(named)), () => process.kill(process.pid, 'SIGKILL'));
