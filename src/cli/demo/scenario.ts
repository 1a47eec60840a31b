import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Producer } from '../../producer/producer.ts';
import type { Finished } from '../../shared/contract/job.ts';
import type { JobStatus, Verdict } from '../../shared/contract/words.ts';

const promptsFile = new URL('../../../examples/prompts.txt', import.meta.url);
const WATCH_MS = 25;

/** The last one is a deployment whose price nobody knows: its tokens count, its cost is left open. */
const models = ['gpt-5.5', 'gpt-5-mini', 'o3', 'acme-deployment'];

interface Plan {
  /** When the user changes their mind; null: never. */
  cancelWhen: JobStatus | null;
  reason?: string;
  sim: object;
}

const cancels: Plan[] = [
  { cancelWhen: 'launching', reason: 'pressed twice', sim: { create_ms: 1200, duration_ms: 2000 } },
  { cancelWhen: 'launching', reason: 'pressed twice', sim: { create_ms: 1200, duration_ms: 2500 } },
  { cancelWhen: 'running', reason: 'wrong prompt', sim: { duration_ms: 2500 } },
  { cancelWhen: 'running', reason: 'wrong prompt', sim: { duration_ms: 3000 } },
  { cancelWhen: 'running', reason: 'too slow', sim: { duration_ms: 3500, cancel_fails: 1 } },
  { cancelWhen: 'running', reason: 'closed the tab', sim: { duration_ms: 2000 } },
  { cancelWhen: 'running', reason: 'closed the tab', sim: { duration_ms: 2000, cancel: 'honour' } },
];
const lateCancels: Plan[] = [
  { cancelWhen: 'queued', reason: 'batch withdrawn', sim: {} },
  { cancelWhen: 'queued', reason: 'batch withdrawn', sim: {} },
];
const ordinary: Plan = { cancelWhen: null, sim: { duration_ms: 1800 } };

export interface Cancelled {
  id: string;
  when: JobStatus;
  verdict: Verdict;
}

export interface Played {
  finished: Finished[];
  cancelled: Cancelled[];
}

/** Some tens of jobs from a file of prompts; some are cancelled while queued, launching and running. */
export async function play(producer: Producer): Promise<Played> {
  const prompts = (await readFile(promptsFile, 'utf8')).trim().split('\n');
  const planOf = (position: number): Plan =>
    cancels[position] ?? lateCancels[prompts.length - 1 - position] ?? ordinary;
  const jobs = prompts.map((input, position) => ({
    request: {
      model: models[position % models.length],
      input,
      metadata: { sim: JSON.stringify(planOf(position).sim) },
    },
    options: { tenant: position % 2 === 0 ? 'harbour' : 'museum', tags: ['demo'] },
  }));
  const results = await producer.enqueueMany(jobs);
  const ids = results.map(({ id, error }) => {
    if (error) throw error;
    return id;
  });

  const cancelled: Cancelled[] = [];
  const outcomes = ids.map(async (id, position) => {
    const plan = planOf(position);
    if (plan.cancelWhen !== null) {
      await reach(producer, id, plan.cancelWhen);
      const { verdict } = await producer.cancel(id, {
        actor: 'alice',
        ...(plan.reason ? { reason: plan.reason } : {}),
      });
      cancelled.push({ id, when: plan.cancelWhen, verdict });
    }
    return await producer.wait(id);
  });
  return { finished: await Promise.all(outcomes), cancelled };
}

async function reach(producer: Producer, id: string, status: JobStatus): Promise<void> {
  for (;;) {
    const job = await producer.get(id);
    if (!job || job.status === status || job.outcome) return;
    await sleep(WATCH_MS);
  }
}

/** Every response is settled: its tokens are known, or known to be unknown. */
export async function untilSettled(producer: Producer): Promise<void> {
  for (;;) {
    const rows = await producer.ledger();
    if (rows.every(row => row.status !== 'pending')) return;
    await sleep(WATCH_MS * 4);
  }
}
