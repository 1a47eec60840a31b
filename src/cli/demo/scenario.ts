import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobStatus } from '../../shared/contract/words.ts';
import type { FrontDoor } from './front-door.ts';

const promptsFile = new URL('../../../examples/prompts.txt', import.meta.url);
const WATCH_MS = 60;
/** More than may run and be launched at once, so that others have to wait. */
const FILLING = 28;
/** Behind every job without a priority. */
const LAST_OF_ALL = 10;

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
const ordinary: Plan = { cancelWhen: null, sim: { duration_ms: 2200 } };

export interface Cancelled {
  when: JobStatus;
  /** False where the cancel came too late. */
  won: boolean;
}

export interface Played {
  ids: string[];
  cancelled: Cancelled[];
}

/** Some tens of jobs from a file of prompts; some are cancelled while queued, launching and running. */
export async function play(door: FrontDoor): Promise<Played> {
  const prompts = (await readFile(promptsFile, 'utf8')).trim().split('\n');
  const planOf = (position: number): Plan => cancels[position] ?? ordinary;
  const cancelled: Cancelled[] = [];

  async function begin(position: number, isLast = false): Promise<string> {
    const { sim } = planOf(position);
    return await door.create({
      model: models[position % models.length] ?? '',
      input: prompts[position] ?? '',
      metadata: { sim: JSON.stringify(sim) },
      headstone: {
        tenant: position % 2 === 0 ? 'harbour' : 'museum',
        tags: ['demo'],
        ...(isLast ? { priority: LAST_OF_ALL } : {}),
      },
    });
  }

  async function follow(id: string, { cancelWhen, reason = '' }: Plan): Promise<string> {
    if (cancelWhen !== null) {
      // A new one is in the queue, behind the others.
      if (cancelWhen !== 'queued') await reach(door, id, cancelWhen);
      cancelled.push({ when: cancelWhen, won: await door.cancel(id, { actor: 'alice', reason }) });
    }
    await door.untilEnded(id);
    return id;
  }

  const positions = [...prompts.keys()];
  const first = await Promise.all(
    positions.slice(0, FILLING).map(async position => ({ position, id: await begin(position) })),
  );
  const following = first.map(({ position, id }) => follow(id, planOf(position)));
  // By now every slot is taken and others wait: these two stand behind them when they are cancelled.
  const withdrawn = positions.slice(FILLING, FILLING + lateCancels.length);
  for (const [index, position] of withdrawn.entries())
    following.push(begin(position, true).then(id => follow(id, lateCancels[index] ?? ordinary)));
  await Promise.all(withdrawn.map((_, index) => following.at(-1 - index)));
  following.push(
    ...positions
      .slice(FILLING + lateCancels.length)
      .map(async position => await follow(await begin(position), planOf(position))),
  );
  return { ids: await Promise.all(following), cancelled };
}

async function reach(door: FrontDoor, id: string, status: JobStatus): Promise<void> {
  for (;;) {
    const job = await door.record(id);
    if (job.status === status || job.outcome) return;
    await sleep(WATCH_MS);
  }
}

/** Every response is settled: its tokens are known, or known to be unknown. */
export async function untilSettled(door: FrontDoor): Promise<void> {
  for (;;) {
    const rows = await door.ledger();
    if (rows.every(row => row.status !== 'pending')) return;
    await sleep(WATCH_MS * 4);
  }
}
