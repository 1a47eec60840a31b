import { Command } from 'commander';
import { assertFree } from '../processes/ports.ts';
import { openProcess, runUntilAskedToStop } from '../processes/session.ts';
import { withExamples } from '../terminal/output.ts';
import { parsePort } from '../terminal/parse.ts';

interface ServerFlags {
  port?: number;
  insecureListen?: boolean;
}

export function serverCommand(): Command {
  return withExamples(
    new Command('server')
      .option('--port <number>', 'the port to listen on; default: HEADSTONE_PORT, 3000', parsePort)
      .option('--insecure-listen', 'listen on every interface even if nobody signs in')
      .action(async ({ port, insecureListen = false }: ServerFlags) => {
        const { configuration, telemetry } = await openProcess('server');
        await assertFree(port ?? configuration.port, '--port or HEADSTONE_PORT');
        const { createProducer } = await import('../../producer/create-producer.ts');
        const { loadApiKeys } = await import('../../server/access/load-api-keys.ts');
        const { startServer } = await import('../../server/server.ts');
        const producer = createProducer({ configuration, telemetry });
        await runUntilAskedToStop(async () => {
          try {
            await producer.ready();
            const server = await startServer({
              producer,
              configuration,
              telemetry,
              apiKeys: await loadApiKeys(configuration),
              port: port ?? configuration.port,
              insecureListen,
            });
            telemetry.emit('process_ready', { process: 'server', address: server.url });
            return async () => {
              telemetry.emit('process_stopping', { process: 'server' });
              await server.close();
              await producer.close();
              telemetry.emit('process_stopped', { process: 'server' });
            };
          } catch (error) {
            await producer.close();
            throw error;
          }
        });
      }),
    'headstone server --port 3000',
    'curl -s 127.0.0.1:3000/v1/responses -H \'content-type: application/json\' -d \'{"model":"gpt-5.5","input":"Hello","background":true}\'',
  );
}
