import { expect, onTestFinished, test, vi } from 'vitest';
import { audit } from '../../src/cli/reports/audit.ts';
import type { Job } from '../../src/shared/contract/job.ts';
import { scripted } from '../support/harness.ts';
import { startScene } from '../support/scene.ts';

test('I4, I6: a worker killed during its POST: the launch is unknown within 15 s, and never sent again', {
  timeout: 60_000,
}, async () => {
  const { producer, startWorker, logged, ledger } = await startScene();
  const doomed = await startWorker();
  const { id } = await producer.enqueue(scripted({ create_ms: 60_000 }));
  await logged('launch_intended');
  await expect.poll(async () => (await ledger()).creates).toBe(1);
  doomed.kill('SIGKILL');
  const killedAt = performance.now();
  await startWorker();
  await logged('launch_unknown');
  expect(performance.now() - killedAt).toBeLessThan(15_000);
  expect(await producer.wait(id)).toMatchObject({ status: 'failed', error: { code: 'launch_unknown' } });
  expect((await ledger()).creates).toBe(1);
});

test('I5, I10: a worker killed in a poll: another goes on within 15 s, with one launch', {
  timeout: 60_000,
}, async () => {
  const { producer, startWorker, ledger } = await startScene();
  const doomed = await startWorker();
  const { id } = await producer.enqueue(scripted({ read: 'slow', read_times: 1, duration_ms: 500 }));
  await expect.poll(async () => (await ledger()).responses[0]?.reads).toBe(1);
  doomed.kill('SIGKILL');
  const killedAt = performance.now();
  await startWorker();
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  expect(performance.now() - killedAt).toBeLessThan(15_000);
  expect((await ledger()).creates).toBe(1);
});

test('I3, I10: workers killed at random under load: every job ends and the ledger is the provider’s', {
  timeout: 90_000,
}, async () => {
  const { producer, startWorker, ledger, lines } = await startScene();
  let victim = await startWorker();
  await startWorker();
  const jobs = Array.from({ length: 60 }, (_, n) => ({
    request: scripted({ duration_ms: 200 + n * 20, create_ms: 50, flip_after_ms: 200 }, `Prompt ${n}`),
  }));
  const ids = (await producer.enqueueMany(jobs)).map(({ id }) => id);
  const cancels = ids
    .filter((_, n) => n % 3 === 0)
    .map(async id => {
      await expect.poll(async () => (await producer.get(id))?.status, { timeout: 30_000 }).not.toBe('queued');
      return await producer.cancel(id);
    });
  for (let kill = 0; kill < 2; kill += 1) {
    // Killed after a number of log lines, in the middle of whatever the worker is doing.
    const enough = lines.length + 15;
    await expect.poll(() => lines.length, { timeout: 20_000, interval: 5 }).toBeGreaterThan(enough);
    victim.kill('SIGKILL');
    await victim.ended;
    victim = await startWorker();
  }
  await Promise.all(cancels);
  await Promise.all(ids.map(id => producer.wait(id)));
  await expect
    .poll(async () => (await producer.ledger()).filter(row => row.status === 'pending').length, { timeout: 40_000 })
    .toBe(0);
  // A job that is cancelled while its worker dies is decided at once. The fate of its launch is known 15 s later.
  await expect
    .poll(async () => (await Promise.all(ids.map(id => producer.get(id)))).flatMap(job => job?.launches ?? []), {
      timeout: 15_000,
    })
    .not.toContainEqual(expect.objectContaining({ state: 'intended' }));
  const books = {
    jobs: (await Promise.all(ids.map(id => producer.get(id)))) as Job[],
    rows: await producer.ledger(),
    simulator: await ledger(),
  };
  expect(audit(books)).toEqual([]);
});

test('I6, I7, I10: kill -9 with a stream in hand: another takes it up within 15 s, without a gap or a second launch', {
  timeout: 60_000,
}, async () => {
  const { producer, startWorker, logged, ledger } = await startScene();
  const first = await startWorker();
  const { id } = await producer.enqueue({ ...scripted({ duration_ms: 18_000, deltas: 200 }), stream: true });
  const numbers: number[] = [];
  const arrivals: number[] = [];
  let text = '';
  const reading = (async () => {
    for await (const event of producer.subscribe(id)) {
      numbers.push(event.sequence_number);
      arrivals.push(performance.now());
      if (event.type === 'response.output_text.delta') text += event.delta;
    }
  })();
  await logged('stream_opened');
  await expect.poll(() => numbers.length).toBeGreaterThan(8);
  const second = startWorker();
  first.kill('SIGKILL');
  const killedAt = performance.now();
  await second;
  const heardBefore = numbers.length;
  await expect.poll(() => numbers.length, { timeout: 15_000 }).toBeGreaterThan(heardBefore + 2);
  expect(performance.now() - killedAt).toBeLessThan(15_000);
  await reading;
  expect(numbers).toEqual(numbers.map((_, number) => number));
  expect(text).toMatch(/ 199$/);
  expect((await ledger()).creates).toBe(1);
});

test('I10: a worker that is asked to stop hands its stream over at once', { timeout: 60_000 }, async () => {
  const { producer, startWorker, logged, lines } = await startScene();
  const first = await startWorker();
  const { id } = await producer.enqueue({ ...scripted({ duration_ms: 8000, deltas: 80 }), stream: true });
  await logged('stream_opened');
  await startWorker();
  await first.stop();
  const stoppedAt = performance.now();
  await expect.poll(() => lines.filter(({ event }) => event === 'stream_opened').length, { timeout: 5000 }).toBe(2);
  expect(performance.now() - stoppedAt).toBeLessThan(5000);
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
});

test('I9: a long stream goes through a worker with little memory, though a reader does not read', {
  timeout: 120_000,
}, async () => {
  // The worker just fits in this heap. If it kept something of each event, it would run out of memory.
  vi.stubEnv('NODE_OPTIONS', '--max-old-space-size=64');
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const { producer, startWorker, logged, lines } = await startScene();
  const worker = await startWorker();
  let hasEnded = false;
  void worker.ended.then(() => {
    hasEnded = true;
  });
  const { id } = await producer.enqueue({ ...scripted({ duration_ms: 10_000, deltas: 60_000 }), stream: true });
  await logged('stream_opened');
  const idle = producer.subscribe(id);
  await idle.next();
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  await idle.return();
  expect(hasEnded).toBe(false);
  expect(lines.filter(({ event }) => event === 'stream_opened')).toHaveLength(1);
});

for (const stream of [false, true])
  test(`I3: a worker frozen for longer than a create may take hears the answer that came meanwhile${stream ? ', a stream’s too' : ''}`, {
    timeout: 30_000,
  }, async () => {
    const { producer, startWorker, ledger } = await startScene({ HEADSTONE_LAUNCH_TIMEOUT_MS: '1500' });
    const worker = await startWorker();
    const { id } = await producer.enqueue({ ...scripted({ create_ms: 500, duration_ms: 3000 }), stream });
    await expect.poll(async () => (await ledger()).creates, { timeout: 10_000, interval: 5 }).toBe(1);
    worker.kill('SIGSTOP');
    await expect.poll(async () => (await ledger()).responses.length).toBe(1);
    // The answer lies in its socket, and its time is over when it wakes.
    const frozenAt = performance.now();
    await expect.poll(() => performance.now() - frozenAt, { timeout: 5000 }).toBeGreaterThan(2000);
    worker.kill('SIGCONT');
    expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
    expect((await producer.get(id))?.launches).toMatchObject([{ state: 'acknowledged' }]);
  });
