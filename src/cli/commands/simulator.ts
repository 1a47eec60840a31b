import { Command, InvalidArgumentError } from 'commander';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import type { Configuration } from '../../shared/runtime/settings.ts';
import type { WebhookTarget } from '../../simulator/webhooks.ts';
import { openProcess, runUntilAskedToStop } from '../processes/session.ts';
import { withExamples } from '../terminal/output.ts';
import { parsePort } from '../terminal/parse.ts';

interface SimulatorFlags {
  port: number;
  speed: number;
  insecureListen?: boolean;
  webhookUrl?: string;
}

export function simulatorCommand(): Command {
  return withExamples(
    new Command('simulator')
      .option('--port <number>', 'the port to listen on; 0 takes a free one', parsePort, 8090)
      .option('--speed <number>', 'run this many times faster', parseSpeed, 1)
      .option('--webhook-url <url>', 'send webhooks there, signed with OPENAI_WEBHOOK_SECRET')
      .option('--insecure-listen', 'listen on every interface')
      .action(async ({ port, speed, insecureListen, webhookUrl }: SimulatorFlags) => {
        const { telemetry, configuration } = await openProcess();
        const webhooks = webhookUrl === undefined ? undefined : targetOf(webhookUrl, configuration);
        const { startSimulator } = await import('../../simulator/simulator.ts');
        await runUntilAskedToStop(async () => {
          const host = insecureListen ? '0.0.0.0' : '127.0.0.1';
          const simulator = await startSimulator({ port, speed, host, webhooks });
          telemetry.emit('process_ready', { process: 'simulator', address: simulator.url });
          return async () => {
            await simulator.close();
            telemetry.emit('process_stopped', { process: 'simulator' });
          };
        });
      }),
    'headstone simulator --port 8090 --speed 10',
    'OPENAI_BASE_URL=http://127.0.0.1:8090/v1 OPENAI_API_KEY=any headstone worker',
  );
}

function targetOf(url: string, { openaiWebhookSecrets: [secret] = [] }: Configuration): WebhookTarget {
  if (secret === undefined)
    throw new HeadstoneError(
      'configuration',
      '--webhook-url needs OPENAI_WEBHOOK_SECRET, with which webhooks are signed. The server needs the same.',
    );
  return { url, secret };
}

function parseSpeed(text: string): number {
  const speed = Number(text);
  if (!(speed > 0)) throw new InvalidArgumentError('It must be a number above 0.');
  return speed;
}
