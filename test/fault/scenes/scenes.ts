import type { EnqueueOptions } from '../../../src/shared/contract/request.ts';
import type { Script } from '../../../src/simulator/script.ts';
import { scripted } from '../../support/harness.ts';
import { askUntil } from '../patience.ts';
import type { Stage } from './stage.ts';

/** Something that users do, in a deployment to which a fault may happen at any moment. */
export interface Scene {
  name: string;
  /** Whom the fault happens to. A worker without faults stands beside a server. */
  victim: 'worker' | 'server';
  settings?: Record<string, string>;
  /** The most creates that its job may cost, the refused ones included. */
  creates?: number;
  /** Does it, and returns the ids of the jobs. Throws what a user would complain of. */
  play(stage: Stage): Promise<string[]>;
}

/** Long enough for a cancel to come before the end. */
const long = { duration_ms: 3000 };
const wasteful = { ...long, flip_after_ms: 200, input_tokens: 100, output_tokens: 900 };

const one =
  (script: Partial<Script>, options: EnqueueOptions = {}) =>
  async ({ producer }: Stage) => [(await producer.enqueue(scripted(script), options)).id];

/** Cancels a job once the provider runs it, or has ended because its launch is unknown. */
const cancelled =
  (script: Partial<Script>, { stream = false } = {}) =>
  async (stage: Stage) => {
    const { producer } = stage;
    const { id } = await producer.enqueue({ ...scripted(script), stream });
    await until(async () => (await stage.ledger()).creates > 0 || (await producer.get(id))?.outcome != null);
    await cancel(stage, id);
    return [id];
  };

async function cancel({ producer }: Stage, id: string): Promise<void> {
  const { verdict } = await producer.cancel(id, { actor: 'the scene', reason: 'no longer wanted' });
  if (verdict === 'cancelled' && (await producer.get(id))?.response)
    throw new Error('I1: a cancelled job shows a result.');
}

/** The kinds of job that each step is tried with. */
export const kinds: Scene[] = [
  { name: 'a plain job', victim: 'worker', play: one({ duration_ms: 300 }) },
  { name: 'a cancelled job', victim: 'worker', play: cancelled({ ...long, cancel: 'honour' }) },
  { name: 'a flipping job', victim: 'worker', play: cancelled(wasteful) },
];

export const scenes: Scene[] = [
  ...kinds,
  { name: 'a streamed job', victim: 'worker', play: streamed },
  { name: 'a cancelled stream', victim: 'worker', play: cancelled(wasteful, { stream: true }) },
  {
    name: 'a run that fails, and is launched again',
    victim: 'worker',
    creates: 2,
    play: one({ end: 'failed', duration_ms: 100 }, { attempts: 2 }),
  },
  {
    name: 'an unknown launch, and another at the job’s own choice',
    victim: 'worker',
    // One for each death or fault, and one that succeeds.
    creates: 3,
    play: one({ create: 'truncated', create_times: 1, duration_ms: 100 }, { onUnknownLaunch: 'relaunch' }),
  },
  {
    name: 'a refusal, and a hold',
    victim: 'worker',
    creates: 2,
    play: one({ create: 'rate_limit', create_times: 1, retry_after_s: 0, duration_ms: 100 }),
  },
  { name: 'a job past its deadline', victim: 'worker', play: one(wasteful, { deadlineMs: 1000 }) },
  {
    name: 'a response that the provider does not find for a moment',
    victim: 'worker',
    play: one({ read: 'not_found', read_times: 2 }),
  },
  { name: 'a callback', victim: 'worker', play: calledBack },
  { name: 'a job in one of two lanes', victim: 'worker', settings: { HEADSTONE_LANES: '2' }, play: one({}) },
  { name: 'an adopted response', victim: 'worker', play: adopted },
  { name: 'a job of HTTP, and its cancel', victim: 'server', play: overHttp },
  {
    name: 'a webhook',
    victim: 'server',
    settings: { HEADSTONE_POLL_MIN_MS: '3000', HEADSTONE_POLL_MAX_MS: '3000' },
    play: one({ duration_ms: 300 }),
  },
  { name: 'an upgraded create', victim: 'server', play: upgraded },
  { name: 'an upgraded stream', victim: 'server', play: upgradedStream },
  { name: 'an upgraded create whose caller leaves', victim: 'server', play: deserted },
  { name: 'a bulk cancel', victim: 'server', play: bulkCancelled },
];

async function streamed({ producer }: Stage): Promise<string[]> {
  const { id } = await producer.enqueue({ ...scripted({ duration_ms: 600, deltas: 30 }), stream: true });
  let next = 0;
  for await (const { sequence_number: number, type } of producer.subscribe(id)) {
    if (number !== next) throw new Error(`The stream has ${number} (${type}) where ${next} belongs.`);
    next += 1;
  }
  return [id];
}

async function calledBack({ producer, receiver }: Stage): Promise<string[]> {
  const { id } = await producer.enqueue(scripted({ duration_ms: 100 }), { callbackUrl: receiver.url });
  await until(() => receiver.heard.length > 0);
  return [id];
}

async function adopted({ producer, provider }: Stage): Promise<string[]> {
  const { id: responseId } = await provider.responses.create({ ...scripted({ duration_ms: 400 }), background: true });
  return [(await producer.adopt(responseId)).id];
}

async function overHttp(stage: Stage): Promise<string[]> {
  // It runs for longer than a machine that is busy takes to start another server.
  const patient = scripted({ ...wasteful, duration_ms: 15_000 });
  const created = await stage.client.responses.create({ ...patient, background: true });
  await until(async () => (await stage.ledger()).responses.length > 0);
  const answered = await stage.client.responses.cancel(created.id);
  if (answered.status !== 'cancelled') throw new Error(`The cancel was answered ${answered.status}.`);
  const read = await stage.client.responses.retrieve(created.id);
  if (read.status !== 'cancelled' || read.output.length > 0)
    throw new Error(`I1: after the cancel it reads ${read.status}.`);
  return await theJob(stage);
}

async function upgraded(stage: Stage): Promise<string[]> {
  const answer = await stage.client.responses.create(scripted({ duration_ms: 500 }));
  if (answer.status !== 'completed' || answer.output_text === '')
    throw new Error(`The caller was answered ${answer.status}.`);
  return await theJob(stage);
}

async function upgradedStream(stage: Stage): Promise<string[]> {
  const read = async () => {
    let last = '';
    for await (const { type } of await stage.client.responses.create({
      ...scripted({ duration_ms: 500, deltas: 10 }),
      stream: true,
    }))
      last = type;
    return last;
  };
  // A stream that breaks is asked for again by the app, because the SDK repeats only what was not answered.
  const last = await read().catch(read);
  if (last !== 'response.completed') throw new Error(`The caller’s stream ended with ${last}.`);
  return await idsOf(stage);
}

async function deserted(stage: Stage): Promise<string[]> {
  const leaving = new AbortController();
  const asked = stage.client.responses.create(scripted(wasteful), { signal: leaving.signal, maxRetries: 0 });
  asked.catch(() => {});
  await until(async () => stage.hasStruck() || (await stage.ledger()).responses.length > 0);
  leaving.abort();
  return await theJob(stage);
}

async function bulkCancelled(stage: Stage): Promise<string[]> {
  const { producer, client } = stage;
  const jobs = Array.from({ length: 12 }, (_, n) => ({
    // Longer than it takes until another process goes on with the cancellation.
    request: scripted({ ...wasteful, duration_ms: 15_000 }, `Prompt ${n}`),
    options: { tags: ['bulk'] },
  }));
  const ids = (await producer.enqueueMany(jobs)).map(({ id }) => id);
  const headers = { 'idempotency-key': 'all of them' };
  await client.post('/cancellations', { body: { filter: { tag: 'bulk' } }, headers });
  await until(async () => (await producer.list({ tag: 'bulk' })).every(({ status }) => status === 'cancelled'));
  return ids;
}

const idsOf = async ({ producer }: Stage) => (await producer.list()).map(({ id }) => id);

/** The job of a create, which is one however often the SDK sent it. */
async function theJob(stage: Stage): Promise<string[]> {
  const ids = await idsOf(stage);
  if (ids.length > 1) throw new Error(`I6: one create made ${ids.length} jobs.`);
  return ids;
}

/** Looks again until it is true. After half a minute it says what it waited for. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  if (!(await askUntil(condition, Boolean, 30_000))) throw new Error(`For 30 s it did not come true: ${condition}`);
}
