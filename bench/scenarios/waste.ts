import { setTimeout as sleep } from 'node:timers/promises';
import { createProducer } from '../../src/producer/create-producer.ts';
import type { Producer } from '../../src/producer/producer.ts';
import { loadConfiguration } from '../../src/shared/runtime/configuration.ts';
import type { SimulatorLedger } from '../../src/simulator/ledger.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { createWorker } from '../../src/worker/create-worker.ts';
import type { Scenario } from '../scenario.ts';

const prefix = '{bench-waste}';

/** Short durations in place of minutes. */
const settings = {
  HEADSTONE_MAX_IN_FLIGHT: '1000',
  HEADSTONE_POLL_MIN_MS: '100',
  HEADSTONE_POLL_MAX_MS: '500',
  HEADSTONE_POLLS_PER_SECOND: '1000',
  HEADSTONE_SETTLE_FIRST_MS: '200',
  HEADSTONE_SETTLE_WINDOW_MS: '5000',
  HEADSTONE_CONCURRENCY: 'launch=20,poll=50,settle=20',
};

export const waste: Scenario = {
  name: 'waste',
  about:
    'Half of the jobs are cancelled at a random moment, and the simulated provider completes most of those later. The tokens that the ledger books as wasted, beside those that the provider’s own ledger charges for these responses.',
  async measure({ redis, redisUrl, jobs }) {
    const { configuration } = loadConfiguration(settings);
    const simulator = await startSimulator({ port: 0 });
    const connection = redisUrl;
    const openai = { apiKey: 'simulated', baseURL: simulator.url };
    const worker = createWorker({ connection, prefix, configuration, openai });
    const producer = createProducer({ connection, prefix, configuration });
    try {
      await worker.start();
      const enqueued = await producer.enqueueMany(Array.from({ length: jobs }, (_, n) => ({ request: request(n) })));
      const cancelled = enqueued.filter((_, position) => position % 2 === 0);
      for (const { id } of cancelled) {
        await producer.cancel(id, { reason: 'bench' });
        await sleep(Math.random() * 4);
      }
      const booked = await wastedTokens(producer, enqueued.length);
      const { responses } = (await (await fetch(new URL('/sim/ledger', simulator.url))).json()) as SimulatorLedger;
      const refused = new Set(
        (await producer.ledger()).filter(row => row.kind === 'wasted').map(row => row.response_id),
      );
      const charged = responses.filter(({ response_id: id }) => refused.has(id));
      const billed = charged.reduce((sum, response) => sum + (response.billed?.total_tokens ?? 0), 0);
      return [
        { figure: 'responses that were charged and not wanted', ours: charged.length },
        {
          figure: 'wasted tokens',
          ours: booked,
          against: { name: 'the provider’s ledger', theirs: billed },
          goal: '= 1',
        },
      ];
    } finally {
      await worker.close();
      await producer.close();
      await simulator.close();
      await redis.flushall();
    }
  },
};

function request(number: number) {
  const sim = {
    create_ms: 5,
    duration_ms: 200 + Math.round(Math.random() * 800),
    flip_after_ms: Math.round(Math.random() * 1500),
  };
  return { model: 'gpt-5.5', input: `Prompt ${number}`, metadata: { sim: JSON.stringify(sim) } };
}

/** The sum, once every job has ended and every usage is known. */
async function wastedTokens(producer: Producer, jobs: number): Promise<number> {
  for (;;) {
    const { jobs: counts, unsettled_responses: unsettled } = await producer.depths();
    const ended = (counts.completed ?? 0) + (counts.cancelled ?? 0);
    if (ended === jobs && unsettled === 0) return (await producer.waste()).totals.total_tokens;
    await sleep(200);
  }
}
