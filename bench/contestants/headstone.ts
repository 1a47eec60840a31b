import { Telemetry } from '../../src/shared/runtime/telemetry.ts';
import { createWorker } from '../../src/worker/create-worker.ts';
// A worker loads these with its first entries, and hops has loaded everything by then.
import '../../src/provider/lean-request.ts';
import '../../src/worker/activations.ts';
import '../../src/worker/launch.ts';
import '../../src/worker/poll.ts';
import '../../src/worker/settle.ts';
import { compete } from './contestant.ts';

await compete(async (task, finished) => {
  // The limits of a deployment would decide the race instead of the code.
  process.env.HEADSTONE_MAX_IN_FLIGHT = '1000000';
  process.env.HEADSTONE_POLLS_PER_SECOND = String(task.pollsPerSecond ?? 1_000_000);
  process.env.HEADSTONE_POLL_MIN_MS = String(task.pollAfterMs);
  process.env.HEADSTONE_POLL_MAX_MS = String(task.pollMaxMs ?? task.pollAfterMs);
  process.env.HEADSTONE_CONCURRENCY = `launch=${task.concurrency},poll=${task.concurrency},settle=10`;
  const telemetry = new Telemetry();
  telemetry.subscribe(({ name }) => {
    if (name === 'job_decided') finished();
  });
  const worker = createWorker({
    connection: task.redisUrl,
    prefix: task.prefix,
    telemetry,
    openai: { apiKey: 'any', baseURL: task.providerUrl },
  });
  await worker.start();
});
