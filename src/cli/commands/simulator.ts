import { Command, InvalidArgumentError } from 'commander';
import { openProcess, runUntilAskedToStop } from '../processes/session.ts';
import { withExamples } from '../terminal/output.ts';
import { parsePort } from '../terminal/parse.ts';

interface SimulatorFlags {
  port: number;
  speed: number;
  insecureListen?: boolean;
}

export function simulatorCommand(): Command {
  return withExamples(
    new Command('simulator')
      .description('run a simulated provider that completes cancelled responses, until SIGTERM')
      .option('--port <number>', 'the port to listen on; 0 takes a free one', parsePort, 8090)
      .option('--speed <number>', 'divide all of its times by this', parseSpeed, 1)
      .option('--insecure-listen', 'listen on every interface')
      .action(async ({ port, speed, insecureListen }: SimulatorFlags) => {
        const { telemetry } = await openProcess();
        const { startSimulator } = await import('../../simulator/simulator.ts');
        await runUntilAskedToStop(async () => {
          const host = insecureListen ? '0.0.0.0' : '127.0.0.1';
          const simulator = await startSimulator({ port, speed, host });
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

function parseSpeed(text: string): number {
  const speed = Number(text);
  if (!(speed > 0)) throw new InvalidArgumentError('It must be a number above 0.');
  return speed;
}
