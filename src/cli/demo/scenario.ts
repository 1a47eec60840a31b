import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobStatus } from '../../shared/contract/words.ts';
import type { FrontDoor } from './front-door.ts';

const promptsFile = new URL('../../../examples/prompts.txt', import.meta.url);
const WATCH_MS = 60;

/** The last one is a deployment without a known price: its tokens are counted, but its cost is unknown. */
const models = ['gpt-5.5', 'gpt-5-mini', 'o3', 'acme-deployment'];

interface Plan {
  /** The status at which the user cancels; null if never. */
  cancelWhen: JobStatus | null;
  reason?: string;
  sim: object;
}

/** Each lasts long enough for the cancel to be in time on a slow machine, and ends within the time that a watch lasts. */
const cancels: Plan[] = [
  { cancelWhen: 'launching', reason: 'pressed twice', sim: { create_ms: 2400, duration_ms: 2800 } },
  { cancelWhen: 'launching', reason: 'pressed twice', sim: { create_ms: 2400, duration_ms: 3200 } },
  { cancelWhen: 'running', reason: 'wrong prompt', sim: { duration_ms: 4600 } },
  { cancelWhen: 'running', reason: 'wrong prompt', sim: { duration_ms: 5000 } },
  { cancelWhen: 'running', reason: 'too slow', sim: { duration_ms: 5200, cancel_fails: 1 } },
  { cancelWhen: 'running', reason: 'closed the tab', sim: { duration_ms: 4800 } },
  { cancelWhen: 'running', reason: 'closed the tab', sim: { duration_ms: 4800, cancel: 'honour' } },
];
const lateCancels: Plan[] = [
  { cancelWhen: 'queued', reason: 'batch withdrawn', sim: {} },
  { cancelWhen: 'queued', reason: 'batch withdrawn', sim: {} },
];
const ordinary: Plan = { cancelWhen: null, sim: { duration_ms: 2200 } };

export interface Cancelled {
  id: string;
  when: JobStatus;
  /** False if the cancel came too late. */
  won: boolean;
}

export interface Played {
  ids: string[];
  cancelled: Cancelled[];
}

/** Enqueues a job for each prompt of a file, and cancels some while they are queued, launching or running. */
export async function play(
  door: FrontDoor,
  startWorkers: () => Promise<void>,
  onCancelled: (one: Cancelled) => void,
): Promise<Played> {
  const prompts = (await readFile(promptsFile, 'utf8')).trim().split('\n');
  const lateFrom = prompts.length - lateCancels.length;
  const planOf = (position: number): Plan => cancels[position] ?? lateCancels[position - lateFrom] ?? ordinary;
  const cancelled: Cancelled[] = [];

  async function create(input: string, position: number): Promise<string> {
    return await door.create({
      model: models[position % models.length] ?? '',
      input,
      metadata: { sim: JSON.stringify(planOf(position).sim) },
      headstone: { tenant: position % 2 === 0 ? 'harbour' : 'museum', tags: ['demo'] },
    });
  }

  async function cancelWhenIts(status: JobStatus, id: string, reason: string): Promise<void> {
    await reach(door, id, status);
    const one = { id, when: status, won: await door.cancel(id, { actor: 'alice', reason }) };
    cancelled.push(one);
    onCancelled(one);
  }

  const ids = await Promise.all(prompts.map(create));
  const plans = ids.map((id, position) => ({ id, ...planOf(position) }));
  const isQueuedCancel = ({ cancelWhen }: Plan) => cancelWhen === 'queued';
  // No worker runs yet, and a cancel works without one.
  for (const { id, reason } of plans.filter(isQueuedCancel)) await cancelWhenIts('queued', id, reason ?? '');
  const following = plans.map(async ({ id, cancelWhen, reason = '' }) => {
    if (cancelWhen !== null && cancelWhen !== 'queued') await cancelWhenIts(cancelWhen, id, reason);
    await door.untilEnded(id);
  });
  await Promise.all([startWorkers(), ...following]);
  return { ids, cancelled };
}

export async function reach(door: FrontDoor, id: string, status: JobStatus): Promise<void> {
  for (;;) {
    const job = await door.record(id);
    if (job.status === status || job.outcome) return;
    await sleep(WATCH_MS);
  }
}

/** Resolves when every response is settled. */
export async function untilSettled(door: FrontDoor): Promise<void> {
  for (;;) {
    const rows = await door.ledger();
    if (rows.every(row => row.status !== 'pending')) return;
    await sleep(WATCH_MS * 4);
  }
}
