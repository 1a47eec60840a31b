import { Command } from 'commander';
import { openProcess, runUntilAskedToStop } from '../processes/session.ts';
import { withExamples } from '../terminal/output.ts';
import { parsePort } from '../terminal/parse.ts';

export function storeCommand(): Command {
  return withExamples(
    new Command('store')
      .option('--port <number>', 'the port to listen on; 0 takes a free one', parsePort, 6379)
      .action(async ({ port }: { port: number }) => {
        const { telemetry } = await openProcess();
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

/** Its data was in memory that can no longer be trusted, so the process ends. */
function end(error: Error): void {
  process.stderr.write(`The embedded store has crashed, and its data is lost: ${error.message}\n`);
  process.exit(1);
}

/** Hides Node's warning that WASI is experimental. The module's hash is checked and what is used of it is tested. */
function hideWasiWarning(): void {
  process.removeAllListeners('warning');
  process.on('warning', warning => {
    if (warning.name !== 'ExperimentalWarning') process.stderr.write(`${warning.name}: ${warning.message}\n`);
  });
}
