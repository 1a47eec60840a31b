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
      .addOption(
        new Option('--queues <names>', 'the queues to take from: launch, poll, settle, callback')
          .argParser(parseQueues)
          .default([...queueNames], queueNames.join(',')),
      )
      .addOption(
        new Option(
          '--lanes <numbers>',
          'the lanes to serve, like 0-3 or 0,2; it also serves those that no other worker serves',
        ).argParser(parseLanes),
      )
      .action(async ({ queues, lanes }: { queues: QueueName[]; lanes?: number[] }) => {
        const { configuration, telemetry } = await openProcess('worker');
        requireKey(configuration);
        const { createWorker } = await import('../../worker/create-worker.ts');
        const worker = createWorker({ configuration, telemetry, queues, lanes });
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
    'headstone worker --lanes 0-3',
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

/** `0-3,6` is 0, 1, 2, 3 and 6. */
function parseLanes(text: string): number[] {
  const numbers = text.split(',').flatMap(part => {
    const [, first, last] = /^(\d{1,2})(?:-(\d{1,2}))?$/.exec(part.trim()) ?? [];
    if (first === undefined || Number(last ?? first) < Number(first))
      throw new InvalidArgumentError('Name lanes by their numbers, like 0-3 or 0,2.');
    return Array.from({ length: Number(last ?? first) - Number(first) + 1 }, (_, n) => Number(first) + n);
  });
  return [...new Set(numbers)];
}

function parseQueues(text: string): QueueName[] {
  const names = text.split(',');
  const wrong = names.find(name => !queueNames.includes(name as QueueName));
  if (wrong !== undefined) throw new InvalidArgumentError(`"${wrong}" is not one of ${queueNames.join(', ')}.`);
  return names as QueueName[];
}
