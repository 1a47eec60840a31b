import { audit } from '../../../src/cli/reports/audit.ts';
import type { Producer } from '../../../src/producer/producer.ts';
import type { Job } from '../../../src/shared/contract/job.ts';
import type { SimulatorLedger } from '../../../src/simulator/ledger.ts';
import { lastOf, leftIn } from '../scenes/aftermath.ts';

export interface Books {
  jobs: number;
  /** From a moment until nothing was left to do; null if that did not come. */
  endedAfterMs: number | null;
  bytesPerJob: number;
  /** Jobs that failed, by the code. */
  failures: Record<string, number>;
  violations: string[];
}

/** All jobs end within this time of the last blow. */
const ENDED_WITHIN_MS = 60_000;
const PAGE = 1000;

/** Waits until all has ended, and compares everything on record with what the provider knows. */
export async function closeBooks({
  producer,
  simulatorUrl,
  sinceMs,
}: {
  producer: Producer;
  simulatorUrl: string;
  sinceMs: number;
}): Promise<Books> {
  const { store } = producer;
  const left = async () => (await Promise.all((await store.allLanes()).map(leftIn))).flat();
  const unfinished = await lastOf(left, ENDED_WITHIN_MS - (performance.now() - sinceMs));
  const endedAfterMs = unfinished.length === 0 ? performance.now() - sinceMs : null;
  const ids = await idsOf(producer);
  const jobs: Job[] = [];
  for (const id of ids) jobs.push((await producer.get(id)) as Job);
  const simulator = (await (await fetch(new URL('/sim/ledger', simulatorUrl))).json()) as SimulatorLedger;
  const rows = await producer.ledger();
  const poisoned = jobs.filter(({ outcome }) => outcome?.error?.code === 'poison');
  const open = jobs.filter(({ outcome }) => outcome === null);
  const launched = Map.groupBy(simulator.responses, ({ metadata }) => metadata.headstone?.split('/')[1]);
  const info = await store.ask(client => client.info('memory'));
  const used = Number(/used_memory_dataset:(\d+)/.exec(info)?.[1] ?? 0);
  return {
    jobs: jobs.length,
    endedAfterMs,
    failures: Object.fromEntries(
      [...Map.groupBy(jobs, ({ outcome }) => outcome?.error?.code)].flatMap(([code, failed]) =>
        code === undefined ? [] : [[code, failed.length]],
      ),
    ),
    bytesPerJob: Math.round(used / Math.max(1, jobs.length)),
    violations: [
      ...unfinished,
      // Workers died of the blows, and of no job.
      ...poisoned.map(({ id }) => `I5: ${id} was taken for poison.`),
      ...open.map(({ id, status }) => `I10: ${id} is still ${status}.`),
      ...[...launched].flatMap(([id, responses]) =>
        id !== undefined && responses.length > 1 ? [`I6: ${id} was launched ${responses.length} times.`] : [],
      ),
      ...audit({ jobs, rows, simulator }),
    ],
  };
}

async function idsOf(producer: Producer): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const after = ids.at(-1);
    const page = await producer.list({ limit: PAGE, ...(after === undefined ? {} : { after }) });
    ids.push(...page.map(({ id }) => id));
    if (page.length < PAGE) return ids;
  }
}
