import { Command, InvalidArgumentError, Option } from 'commander';
import type { RunningHealth } from '../../server/health.ts';
import type { Configuration } from '../../shared/runtime/settings.ts';
import type { Telemetry } from '../../shared/runtime/telemetry.ts';
import { type QueueName, queueNames } from '../../shared/store/lua/work.ts';
import type { Worker } from '../../worker/worker.ts';
import { requireKey } from '../processes/require-key.ts';
import { returnMemory } from '../processes/return-memory.ts';
import { openProcess, runUntilAskedToStop } from '../processes/session.ts';
import { withExamples } from '../terminal/output.ts';

export function workerCommand(): Command {
  return withExamples(
    new Command('worker')
      .description('run a worker until SIGTERM; then it finishes what it works on and stops')
      .addOption(
        new Option('--queues <names>', 'the queues to take from: launch, poll, settle')
          .argParser(parseQueues)
          .default([...queueNames], queueNames.join(',')),
      )
      .action(async ({ queues }: { queues: QueueName[] }) => {
        const { configuration, telemetry } = await openProcess();
        requireKey(configuration);
        const { createWorker } = await import('../../worker/create-worker.ts');
        const worker = createWorker({ configuration, telemetry, queues });
        await runUntilAskedToStop(async () => {
          try {
            await worker.start();
            const health = await openHealth(worker, configuration, telemetry);
            returnMemory();
            return async () => {
              await worker.close();
              await health?.close();
            };
          } catch (error) {
            await worker.close();
            throw error;
          }
        });
      }),
    'REDIS_URL=redis://127.0.0.1:6379 OPENAI_API_KEY=sk-… headstone worker',
    'headstone worker --queues settle',
  );
}

/** Serves health and metrics on HEADSTONE_HEALTH_PORT. Without that setting a worker listens on nothing. */
async function openHealth(
  worker: Worker,
  { healthPort, host, concurrency }: Configuration,
  telemetry: Telemetry,
): Promise<RunningHealth | undefined> {
  if (healthPort === undefined) return undefined;
  const { startHealthServer } = await import('../../server/health.ts');
  const { createMetrics } = await import('../../shared/runtime/metrics.ts');
  const depths = () => worker.depths();
  return await startHealthServer(
    { port: healthPort, host },
    {
      ready: () => worker.ready(),
      lively: () => worker.isLively(),
      metrics: createMetrics(telemetry, depths, { streamLimit: concurrency.stream }),
    },
  );
}

function parseQueues(text: string): QueueName[] {
  const names = text.split(',');
  const wrong = names.find(name => !queueNames.includes(name as QueueName));
  if (wrong !== undefined) throw new InvalidArgumentError(`"${wrong}" is not one of ${queueNames.join(', ')}.`);
  return names as QueueName[];
}
