import { expect, onTestFinished, test } from 'vitest';
import { createFetch } from '../../src/server/create-fetch.ts';
import { startServer } from '../../src/server/server.ts';
import { startFrontDoor } from '../support/front-door.ts';
import { type Harness, type HarnessOptions, startHarness } from '../support/harness.ts';
import { type Address, plainClients } from '../support/plain-clients.ts';
import { startScene } from '../support/scene.ts';

const env = {
  HEADSTONE_UPGRADE: '1',
  HEADSTONE_DISCONNECT_GRACE_MS: '200',
  // Half of the simulator's own durations must fit into it.
  HEADSTONE_SETTLE_WINDOW_MS: '6000',
};

const ways: Record<string, (options?: HarnessOptions) => Promise<Harness & { address: Address }>> = {
  'over HTTP': async options => {
    const door = await startFrontDoor({ env, speed: 10, ...options });
    return { ...door, address: { baseURL: `${door.server.url}/v1` } };
  },
  'in process': async options => {
    const harness = await startHarness({ env, speed: 10, ...options });
    const { producer, simulator } = harness;
    return { ...harness, address: { baseURL: simulator.url, fetch: createFetch(producer, { upgrade: true }) } };
  },
};

for (const [name, clientOf] of Object.entries(plainClients))
  for (const [way, start] of Object.entries(ways)) {
    test(`${name}, ${way}: text, stream, tools, structured output and turns, each as a job`, async () => {
      const { address, producer, simulatorLedger } = await start();
      const client = clientOf(address);
      expect(await client.text('Tides')).toContain('what there is to say');
      expect(await client.stream('Streamed tides')).toContain('what there is to say');
      expect(await client.tools('How is the weather?')).toContain('sunny in Lisbon');
      expect(await client.structured('Where?')).toEqual({ city: 'Lisbon' });
      expect(await client.turns('First', 'Second')).toContain('what there is to say');
      const jobs = await producer.list({ limit: 100 });
      expect(jobs).toHaveLength(7);
      expect(jobs.every(({ status }) => status === 'completed')).toBe(true);
      // Every response was one of our jobs, and was wanted.
      const { responses } = await simulatorLedger();
      expect(responses).toHaveLength(7);
      await expect.poll(async () => (await producer.waste()).totals).toMatchObject({ responses: 0, used_responses: 7 });
    });

    test(`I1, I3, ${name}, ${way}: an abort in the middle is a cancel, and its waste is booked`, async () => {
      const { address, producer, happened } = await start({ speed: 2 });
      const client = clientOf({ ...address, maxRetries: 0 });
      const seen = new Set<string>();
      for (const kind of ['text', 'stream'] as const) {
        const aborting = new AbortController();
        const asked = client[kind](`An abort of ${kind}`, aborting.signal).catch(error => error as Error);
        const { job_id } = await happened('launch_acknowledged', fields => !seen.has(fields.job_id));
        seen.add(job_id);
        aborting.abort();
        await asked;
        await happened('tokens_wasted', fields => fields.job_id === job_id);
        expect(await producer.get(job_id)).toMatchObject({
          status: 'cancelled',
          tombstone: { reason: 'client_disconnected' },
          ledger: [{ kind: 'wasted', status: 'final' }],
        });
      }
    }, 60_000);
  }

test('I5, I6: a worker killed in the middle: every client gets its answer from another, and nothing is paid twice', {
  timeout: 90_000,
}, async () => {
  const { producer, startWorker, logged, ledger, lines } = await startScene();
  const server = await startServer({
    producer,
    configuration: { ...producer.configuration, upgrade: true },
    telemetry: producer.telemetry,
    apiKeys: null,
    port: 0,
    insecureListen: false,
  });
  onTestFinished(() => server.close());
  const doomed = await startWorker();
  const asked = Object.entries(plainClients).flatMap(([name, clientOf]) => {
    const client = clientOf({ baseURL: `${server.url}/v1` });
    return [client.text(`A text for ${name}`), client.stream(`A stream for ${name}`)];
  });
  const acknowledged = () => lines.filter(({ event }) => event === 'launch_acknowledged').length;
  await logged('launch_acknowledged');
  await expect.poll(acknowledged, { timeout: 10_000, interval: 5 }).toBe(asked.length);
  doomed.kill('SIGKILL');
  await startWorker();
  for (const text of await Promise.all(asked)) expect(text).toContain('what there is to say');
  const jobs = await producer.list({ limit: 100 });
  expect(jobs.map(({ status }) => status)).toEqual(asked.map(() => 'completed'));
  expect((await ledger()).creates).toBe(asked.length);
});
