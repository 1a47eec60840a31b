import { Command, InvalidArgumentError, Option } from 'commander';
import { type RunningHealth, startHealthServer } from '../../server/health.ts';
import { createMetrics } from '../../shared/runtime/metrics.ts';
import type { Configuration } from '../../shared/runtime/settings.ts';
import type { Telemetry } from '../../shared/runtime/telemetry.ts';
import { type QueueName, queueNames } from '../../shared/store/lua/work.ts';
import { createWorker } from '../../worker/create-worker.ts';
import type { Worker } from '../../worker/worker.ts';
import { withExamples } from '../output.ts';
import { requireKey } from '../require-key.ts';
import { openProcess, runUntilAskedToStop } from '../session.ts';

export function workerCommand(): Command {
  return withExamples(
    new Command('worker')
      .description('runs the workers, until SIGTERM; then ends what it holds and stops')
      .addOption(
        new Option('--queues <names>', 'which of launch, poll and settle')
          .argParser(parseQueues)
          .default([...queueNames], queueNames.join(',')),
      )
      .action(async ({ queues }: { queues: QueueName[] }) => {
        const { configuration, telemetry } = openProcess();
        requireKey(configuration);
        const worker = createWorker({ configuration, telemetry, queues });
        await runUntilAskedToStop(async () => {
          try {
            await worker.start();
            const health = await openHealth(worker, configuration, telemetry);
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

/** Only where HEADSTONE_HEALTH_PORT says so: a worker listens on nothing by default. */
async function openHealth(
  worker: Worker,
  { healthPort, host, concurrency }: Configuration,
  telemetry: Telemetry,
): Promise<RunningHealth | undefined> {
  if (healthPort === undefined) return undefined;
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
  if (wrong !== undefined) throw new InvalidArgumentError(`"${wrong}" is none of ${queueNames.join(', ')}.`);
  return names as QueueName[];
}
