import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { closest, distance } from 'fastest-levenshtein';
import { HeadstoneError } from '../shared/contract/errors.ts';
import { catalog } from './commands/catalog.ts';
import { exitCodes } from './terminal/exit-codes.ts';

/** A name with more typing errors than this is another name. */
const MOST_TYPING_ERRORS = 3;

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
  const [command = '', subject = ''] = argv.slice(2).filter(word => !word.startsWith('-'));
  const asked = command === 'help' ? subject : command;
  for (const { name, about, isClient, load } of catalog) {
    // A command that is not asked for is only named in the help.
    const made = name === asked ? await load() : new Command(name);
    if (isClient) made.addOption(serverOption());
    program.addCommand(made.description(about));
  }
  // Commander would end the process itself, so that errors could not be explained.
  for (const command of [program, ...program.commands]) command.exitOverride();

  try {
    if (command === 'help' && subject !== '' && !catalog.some(({ name }) => name === subject))
      program.error(unknownCommand(subject));
    await program.parseAsync(argv);
  } catch (error) {
    process.exitCode = explain(error, argv[2]);
  }
}

export function serverOption(): Option {
  return new Option('--server <url>', 'use this Headstone server instead of Redis, with the key in HEADSTONE_API_KEY');
}

function unknownCommand(name: string): string {
  const likely = closest(
    name,
    catalog.map(entry => entry.name),
  );
  return `error: unknown command '${name}'${distance(name, likely) <= MOST_TYPING_ERRORS ? `\n(Did you mean ${likely}?)` : ''}`;
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
