import { Command } from 'commander';
import { withExamples } from '../output.ts';
import { parsePort } from '../parse.ts';
import { openProcess, runUntilAskedToStop } from '../session.ts';

export function storeCommand(): Command {
  return withExamples(
    new Command('store')
      .description('a real Valkey in this process: in memory, loopback only, gone when it stops')
      .option('--port <number>', '0 takes a free one', parsePort, 6379)
      .action(async ({ port }: { port: number }) => {
        const { telemetry } = openProcess();
        hideWasiWarning();
        await runUntilAskedToStop(async () => {
          // Imported here, because Node warns as soon as WASI is.
          const { startEmbeddedStore } = await import('../../embedded/valkey.ts');
          const store = await startEmbeddedStore({ port, onFatal: end });
          telemetry.emit('process_ready', { process: 'store', address: store.url });
          return async () => {
            await store.close();
            telemetry.emit('process_stopped', { process: 'store' });
          };
        });
      }),
    'headstone store --port 6379',
  );
}

/** Everything in it was in the memory that can no longer be trusted. */
function end(error: Error): void {
  process.stderr.write(`The embedded store has crashed, and what it held is lost: ${error.message}\n`);
  process.exit(1);
}

/** Node calls its WASI experimental at each start. We check the module's hash and test what we use of it. */
function hideWasiWarning(): void {
  process.removeAllListeners('warning');
  process.on('warning', warning => {
    if (warning.name !== 'ExperimentalWarning') process.stderr.write(`${warning.name}: ${warning.message}\n`);
  });
}
