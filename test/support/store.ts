import { randomUUID } from 'node:crypto';
import { inject, onTestFinished } from 'vitest';
import type { ListFilter } from '../../src/shared/contract/job.ts';
import type { LedgerQuery, WasteQuery } from '../../src/shared/contract/ledger.ts';
import { loadConfiguration } from '../../src/shared/runtime/configuration.ts';
import { Telemetry } from '../../src/shared/runtime/telemetry.ts';
import type { RedisClient } from '../../src/shared/store/connection/client.ts';
import type { Lane } from '../../src/shared/store/lane.ts';
import { listJobs } from '../../src/shared/store/list.ts';
import { listRows } from '../../src/shared/store/list-rows.ts';
import type { Observation } from '../../src/shared/store/lua/shapes.ts';
import type { ArgumentsOf, JobScript, ReplyOf } from '../../src/shared/store/scripts.ts';
import { Store } from '../../src/shared/store/store.ts';
import { daysOf, readWaste } from '../../src/shared/store/waste.ts';

export interface TestStore {
  store: Lane;
  /** Another connection to the same deployment. */
  other: Lane;
  /** Deletes everything and closes both connections. It runs at the end of the test at the latest. */
  close(): Promise<void>;
}

/** Two connections to the lane of a new deployment without workers, for tests of the scripts. */
export async function openStores(
  env: Record<string, string> = {},
  prefix = `{test-${randomUUID().slice(0, 8)}}`,
): Promise<TestStore> {
  const { configuration } = loadConfiguration(env);
  const open = () =>
    new Store({
      connection: inject('redisUrl'),
      prefix,
      patience: 'caller',
      configuration,
      telemetry: new Telemetry(),
    });
  const stores = [open(), open()] as const;
  await Promise.all(stores.map(store => store.ready()));
  let closing: Promise<unknown> | undefined;
  const close = async () => {
    closing ??= deleteKeys(redisOf(stores[0]), prefix).then(() => Promise.all(stores.map(store => store.close())));
    await closing;
  };
  onTestFinished(close);
  return { store: stores[0].home, other: stores[1].home, close };
}

/** The private connection of a store, for tests that inspect Redis. */
export function redisOf(store: Pick<Lane, 'lend'>): RedisClient {
  return store.lend(client => client);
}

/** What a store asks of all lanes, asked of one. */
export const wasteOf = async (lane: Lane, query: WasteQuery) =>
  await readWaste([lane], daysOf(query, lane.now()), query);
export const rowsOf = async (lane: Lane, query: LedgerQuery) => await listRows([lane], query);
export const listOf = async (lane: Lane, filter: ListFilter) => await listJobs([lane], [lane], filter);

async function deleteKeys(client: RedisClient, prefix: string): Promise<void> {
  const keys = await client.keys(`${prefix.slice(0, -1)}*`);
  if (keys.length > 0) await client.unlink(...keys);
}

/** A lane, or a store that finds the lane. */
interface Runs {
  run<Name extends JobScript>(
    name: Name,
    given: ArgumentsOf<Name> & { id: string },
    body?: string,
  ): Promise<ReplyOf<Name>>;
}

export async function acceptJob(store: Runs, id: string, wish: Partial<AcceptWish> = {}): Promise<void> {
  await store.run(
    'accept',
    {
      id,
      tenant: 'default',
      tags: '[]',
      tag_list: [],
      model: 'gpt-5.5',
      fingerprint: 'f',
      deadline_ms: 3_600_000,
      priority: 0,
      attempts: 1,
      on_unknown: 'fail',
      stream: false,
      ...wish,
    },
    '{}',
  );
}

interface AcceptWish {
  stream: boolean;
  priority: number;
  tenant: string;
  fingerprint: string;
  deadline_ms: number;
  attempts: number;
  on_unknown: 'fail' | 'relaunch';
}

/** Accepts, intends and launches a job. Returns the epoch. */
export async function runJob(
  store: Runs,
  id: string,
  responseId: string,
  wish: Partial<AcceptWish> = {},
): Promise<number> {
  await acceptJob(store, id, wish);
  return await relaunch(store, id, responseId);
}

export async function relaunch(store: Runs, id: string, responseId: string): Promise<number> {
  const epoch = await intendJob(store, id);
  await store.run('acknowledge', {
    id,
    epoch,
    response_id: responseId,
    first_poll_ms: 10,
    observation: observed('queued'),
  });
  return epoch;
}

export async function intendJob(store: Runs, id: string): Promise<number> {
  const intent = await store.run('intend', { id, token: randomUUID(), max_in_flight: 1_000_000 });
  if (intent.reply !== 'intended') throw new Error(`Not intended: ${intent.reply}`);
  return intent.epoch;
}

export function observed(status: string, totalTokens?: number): Observation {
  if (totalTokens === undefined) return { upstream_status: status };
  const usage = { input_tokens: 10, output_tokens: totalTokens - 10, total_tokens: totalTokens };
  return {
    upstream_status: status,
    usage: JSON.stringify(usage),
    ...usage,
    cost_usd_micros: totalTokens * 3,
    price_table: 'test',
  };
}
