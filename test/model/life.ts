import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { inject } from 'vitest';
import { Producer } from '../../src/producer/producer.ts';
import { openUpstream } from '../../src/provider/upstream.ts';
import { loadConfiguration } from '../../src/shared/runtime/configuration.ts';
import { Telemetry } from '../../src/shared/runtime/telemetry.ts';
import { readDeployment } from '../../src/shared/store/deployment.ts';
import { Store } from '../../src/shared/store/store.ts';
import type { SimulatorLedger } from '../../src/simulator/ledger.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import type { Context, Taken } from '../../src/worker/context.ts';
import { InFlight } from '../../src/worker/in-flight.ts';
import { launch } from '../../src/worker/launch.ts';
import { Pace } from '../../src/worker/pace.ts';
import { poll } from '../../src/worker/poll.ts';
import { Refusals } from '../../src/worker/refusals.ts';
import { settle } from '../../src/worker/settle.ts';
import { StreamSlots } from '../../src/worker/stream-slots.ts';
import { lanesOfSuite } from '../support/lanes.ts';
import { redisOf } from '../support/store.ts';

/** A deployment without BullMQ's clock. The test decides which entry is taken and when the worker dies. */
export interface Life {
  producer: Producer;
  store: Store;
  simulator: Simulator;
  /** The provider's clock, which only the test moves. */
  advance(ms: number): void;
  /** Takes the entries that a job may have. */
  tick(id: string): Promise<void>;
  /** Takes a webhook about one of the provider's responses, whether anybody knows of it or not. */
  hear(pick: number): Promise<void>;
  /** Launches, and dies after the provider's answer and before it is recorded. */
  die(id: string): Promise<void>;
  /** Launches, and is frozen between the permission to send the create and the create, for so long that others take it for dead. */
  oversleep(id: string): Promise<void>;
  simulatorLedger(): Promise<SimulatorLedger>;
  close(): Promise<void>;
}

const FROZEN_MS = 200;

/** No worker of BullMQ has the entry, so the steps leave it where it is. */
const taken: Taken = { lock: 'nobody', waiting: async () => {} };

const quick = {
  HEADSTONE_SETTLE_FIRST_MS: '10',
  HEADSTONE_SETTLE_WINDOW_MS: '60',
  HEADSTONE_UNKNOWN_GRACE_MS: '10',
};

export async function startLife(): Promise<Life> {
  let now = Date.now();
  const simulator = await startSimulator({ port: 0, now: () => now });
  const { configuration } = loadConfiguration({ ...lanesOfSuite, ...quick });
  const telemetry = new Telemetry();
  const prefix = `{test-${randomUUID().slice(0, 8)}}`;
  const store = new Store({ connection: inject('redisUrl'), prefix, patience: 'caller', configuration, telemetry });
  const upstream = await openUpstream({ openai: { baseURL: simulator.url, apiKey: 'any' }, launchTimeoutMs: 5000 });
  await store.ready();
  const context: Omit<Context, 'store'> = {
    lanes: store,
    upstream,
    configuration,
    telemetry,
    inFlight: new InFlight(),
    streams: new StreamSlots(10, error => {
      throw error;
    }),
    refusals: new Refusals(telemetry),
    // As if no webhook had been heard: nobody advances Redis' clock by the quarter of an hour that a lost id is waited for.
    pace: new Pace({ home: { ask: async () => 0 } } as unknown as Store, configuration),
    deployment: await readDeployment(store.home),
    hopeless: new AbortController().signal,
    stopping: new AbortController().signal,
  };
  const dying = {
    ...context,
    upstream: {
      ...upstream,
      async create(body: string, model: string): Promise<never> {
        await upstream.create(body, model);
        throw new Error('The worker died here.');
      },
    },
  };

  const producer = new Producer({ store, configuration, telemetry });
  const simulatorLedger = async () =>
    (await (await fetch(new URL('/sim/ledger', simulator.url))).json()) as SimulatorLedger;
  const at = async (id: string) => await store.laneOf(id);

  return {
    producer,
    store,
    simulator,
    advance(ms) {
      now += ms;
    },
    async tick(id) {
      const record = await store.record(id);
      if (!record) return;
      // A launch that was interrupted is taken again, as BullMQ gives a stalled entry to another worker.
      const here: Context = { ...context, store: await at(id) };
      const silent = (await store.job(id))?.launches.some(({ state }) => state === 'intended');
      if (record.status === 'queued' || silent) await launch(id, here, taken);
      else await poll(id, here, taken);
      const job = await store.job(id);
      for (const row of job?.ledger ?? [])
        if (row.status === 'pending' && row.kind !== null) await settle(row.response_id, here);
    },
    async hear(pick) {
      const { responses } = await simulatorLedger();
      const { response_id: responseId } = responses[pick % Math.max(1, responses.length)] ?? {};
      if (responseId === undefined) return;
      // A few ids of messages, so that copies are among them.
      const heard = await producer.hints.take(responseId, `wh_${responseId}_${pick % 3}`);
      const lane = await store.laneToMake(responseId);
      if (heard === 'stranger') await settle(responseId, { ...context, store: lane });
    },
    async die(id) {
      const record = await store.record(id);
      if (record?.status === 'queued') await launch(id, { ...dying, store: await at(id) }, taken).catch(() => {});
    },
    async oversleep(id) {
      const lane = await at(id);
      const run: typeof lane.run = async (name, given, body) => {
        const reply = await lane.run(name, given, body);
        if (name === 'intend') await sleep(FROZEN_MS);
        return reply;
      };
      const store = Object.assign(Object.create(lane), { run }) as typeof lane;
      await launch(id, { ...context, store, configuration: { ...configuration, lockMs: FROZEN_MS } }, taken);
    },
    simulatorLedger,
    async close() {
      const keys = await redisOf(store).keys(`${prefix.slice(0, -1)}*`);
      if (keys.length > 0) await redisOf(store).unlink(...keys);
      await store.close();
      await simulator.close();
    },
  };
}
