import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { startChild } from '../../src/cli/processes/children.ts';
import { startFrontDoor } from '../support/front-door.ts';
import { scripted, startHarness } from '../support/harness.ts';

test('/metrics tells launches, verdicts, flips and waste, with labels that are closed sets', async () => {
  const { producer, happened, server } = await startFrontDoor();
  const { id } = await producer.enqueue(
    scripted({ duration_ms: 300, flip_after_ms: 200, input_tokens: 100, output_tokens: 900 }),
    { tenant: 'secret-tenant', tags: ['secret-tag'] },
  );
  await happened('launch_acknowledged');
  await producer.cancel(id, { reason: 'secret reason', actor: 'secret actor' });
  await happened('tokens_wasted');
  const text = await (await fetch(`${server.url}/metrics`)).text();
  for (const line of [
    'headstone_launches_total 1',
    'headstone_cancels_total{verdict="cancelled"} 1',
    'headstone_flips_total 1',
    'headstone_wasted_tokens_total{model="gpt-5.5",cause="cancelled"} 1000',
    'headstone_wasted_cost_usd_total{model="gpt-5.5",cause="cancelled"} 0.0275',
    'headstone_jobs{status="cancelled"} 1',
    'headstone_jobs{status="queued"} 0',
    'headstone_launch_waiting 0',
    'headstone_launch_paused 0',
    'headstone_unsettled_responses 0',
  ])
    expect(text).toContain(`${line}\n`);
  expect(text).toMatch(/headstone_due_polls \d/);
  expect(text).toMatch(/headstone_oldest_due_poll_seconds \d/);
  expect(text).not.toContain('secret');
});

test('a worker process serves the same three endpoints on HEADSTONE_HEALTH_PORT', { timeout: 20_000 }, async () => {
  const { simulator, prefix } = await startHarness({ workers: 0 });
  // A port that was free a moment ago.
  const { url } = await startChild(['simulator', '--port', '0']).then(async child => {
    await child.stop();
    return { url: new URL(child.address) };
  });
  const worker = await startChild(['worker'], {
    env: {
      REDIS_URL: inject('redisUrl'),
      HEADSTONE_PREFIX: prefix,
      HEADSTONE_HEALTH_PORT: url.port,
      OPENAI_BASE_URL: simulator.url,
      OPENAI_API_KEY: 'any',
    },
  });
  onTestFinished(worker.stop);
  const get = (path: string) => fetch(`http://127.0.0.1:${url.port}${path}`);
  await expect.poll(async () => (await get('/healthz').catch(() => null))?.status).toBe(200);
  expect((await get('/readyz')).status).toBe(200);
  const text = await (await get('/metrics')).text();
  for (const line of ['headstone_jobs{status="queued"} 0', 'headstone_open_streams 0', 'headstone_stream_limit 50'])
    expect(text).toContain(`${line}\n`);
});

test('health sees a worker that is alive and consumes nothing', async () => {
  const { producer, worker } = await startHarness();
  expect(await worker.isLively()).toBe(true);
  // A consumer that hangs: its loop does not run, and half a minute has passed.
  const { rota } = worker as unknown as {
    rota: { workers: { consumers: { worker: { pause(): Promise<void> } }[] }[] };
  };
  for (const consumer of rota.workers.flatMap(({ consumers }) => consumers)) await consumer.worker.pause();
  const now = performance.now.bind(performance);
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + 31_000);
  onTestFinished(() => {
    clock.mockRestore();
  });
  expect(await worker.isLively()).toBe(true);
  await producer.enqueue(scripted());
  expect(await worker.isLively()).toBe(true);
  clock.mockImplementation(() => now() + 34_000);
  expect(await worker.isLively()).toBe(false);
});
