import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { HeadstoneError } from '../shared/contract/errors.ts';
import { cancelCommand } from './commands/cancel.ts';
import { demoCommand } from './commands/demo.ts';
import { devCommand } from './commands/dev.ts';
import { enqueueCommand } from './commands/enqueue.ts';
import { getCommand } from './commands/get.ts';
import { holdsCommand, releaseCommand } from './commands/holds.ts';
import { lanesCommand } from './commands/lanes.ts';
import { ledgerCommand } from './commands/ledger.ts';
import { listCommand } from './commands/list.ts';
import { pauseCommand, resumeCommand } from './commands/pause.ts';
import { probeCommand } from './commands/probe.ts';
import { serverCommand } from './commands/server.ts';
import { simulatorCommand } from './commands/simulator.ts';
import { statusCommand } from './commands/status.ts';
import { storeCommand } from './commands/store.ts';
import { waitCommand } from './commands/wait.ts';
import { wasteCommand } from './commands/waste.ts';
import { watchCommand } from './commands/watch.ts';
import { webhookCommand } from './commands/webhook.ts';
import { workerCommand } from './commands/worker.ts';
import { exitCodes } from './terminal/exit-codes.ts';

export async function runProgram(argv: string[]): Promise<void> {
  // In `headstone list | head -1` the reader stops early, which is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
  const program = new Command('headstone')
    .description('A job queue for OpenAI and Azure background Responses whose cancel sticks.')
    .version(version(), '-v, --version')
    .showHelpAfterError('(run it with --help to see what it takes)')
    .enablePositionalOptions();
  const clientCommands = [
    enqueueCommand,
    getCommand,
    waitCommand,
    watchCommand,
    listCommand,
    cancelCommand,
    wasteCommand,
    ledgerCommand,
    statusCommand,
    pauseCommand,
    resumeCommand,
    holdsCommand,
    releaseCommand,
    webhookCommand,
  ];
  const otherCommands = [
    workerCommand,
    serverCommand,
    simulatorCommand,
    storeCommand,
    lanesCommand,
    devCommand,
    probeCommand,
    demoCommand,
  ];
  const server = new Option(
    '--server <url>',
    'use this Headstone server instead of Redis, with the key in HEADSTONE_API_KEY',
  );
  for (const command of clientCommands) program.addCommand(command().addOption(server));
  for (const command of otherCommands) program.addCommand(command());
  // Commander would end the process itself, so that errors could not be explained.
  for (const command of [program, ...program.commands]) command.exitOverride();

  try {
    await program.parseAsync(argv);
  } catch (error) {
    process.exitCode = explain(error, argv[2]);
  }
}

/** The version in package.json, which is at the same place in a checkout and in the package. */
function version(): string {
  const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(file) as { version: string }).version;
}

function portSetting(command: string | undefined): string {
  return command === 'dev' ? 'HEADSTONE_PORT' : command === 'server' ? '--port or HEADSTONE_PORT' : '--port';
}

/** Explains an error in a sentence on standard error, without a stack. Returns the exit code. */
function explain(error: unknown, command: string | undefined): number {
  // Commander has explained it already. Asking for help is no error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.wrongUse;
  if (error instanceof HeadstoneError) {
    // A store in memory helps only on a developer's machine, and is no part of a cluster.
    const isLocal =
      error.code === 'store_unreachable' &&
      /Redis at (127\.0\.0\.1|localhost)/.test(error.message) &&
      !/,|\+/.test(process.env.REDIS_URL ?? '');
    process.stderr.write(`${error.message}${isLocal ? ' "headstone store" starts one in memory.' : ''}\n`);
    return error.code === 'invalid_request' || error.code === 'configuration' ? exitCodes.wrongUse : exitCodes.failed;
  }
  const { code, syscall } = error as NodeJS.ErrnoException;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(
    code === 'EADDRINUSE'
      ? `Another program uses that port (${message.replace(/^listen EADDRINUSE: /, '')}). Stop it, or choose another port with ${portSetting(command)}.\n`
      : code === 'ENOENT' && syscall === 'open'
        ? `There is no such file: ${(error as NodeJS.ErrnoException).path}.\n`
        : `${message}\n`,
  );
  return exitCodes.failed;
}
