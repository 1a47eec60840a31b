import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { HeadstoneError } from '../shared/contract/errors.ts';
import { catalog } from './commands/catalog.ts';
import type { CatalogEntry } from './commands/catalog-entry.ts';
import { exitCodes } from './terminal/exit-codes.ts';

/** It describes all other commands, so it is not among them. */
const completion: CatalogEntry = {
  name: 'completion',
  about: 'print a script that completes commands and options in bash, zsh or fish',
  isClient: false,
  load: async () => (await import('./commands/completion.ts')).completionCommand(),
};

export async function runProgram(argv: string[]): Promise<void> {
  // In `headstone list | head -1` the reader stops early, which is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
  const program = new Command('headstone')
    .description('A job queue for OpenAI and Azure background Responses whose cancel sticks.')
    .version(version(), '-v, --version')
    .showHelpAfterError('(run it with --help for usage)')
    .enablePositionalOptions();
  const [command = '', subject = ''] = argv.slice(2).filter(word => !word.startsWith('-'));
  const asked = command === 'help' ? subject : command;
  for (const { name, about, isClient, load } of [...catalog, completion]) {
    // A command that is not asked for is only named in the help.
    const made = name === asked ? await load() : new Command(name);
    if (isClient) made.addOption(serverOption());
    program.addCommand(made.description(about));
  }
  // Commander would end the process itself, so that errors could not be explained.
  for (const command of withParts(program)) command.exitOverride();

  try {
    // Commander shows the general help for a command that it does not know. It explains the mistake if that is run.
    const isUnknown = command === 'help' && subject !== '' && !program.commands.some(one => one.name() === subject);
    await program.parseAsync(isUnknown ? [...argv.slice(0, 2), subject] : argv);
  } catch (error) {
    process.exitCode = explain(error, argv);
  }
}

/** A command, its parts and theirs. The help of a part names the options that it shares with the whole. */
function withParts(command: Command): Command[] {
  const parts = command.commands.map(part => part.configureHelp({ showGlobalOptions: true }));
  return [command, ...parts.flatMap(withParts)];
}

function serverOption(): Option {
  return new Option('--server <url>', 'use this Headstone server instead of Redis, with the key in HEADSTONE_API_KEY');
}

/** The version in package.json, which is at the same place in a checkout and in the package. */
function version(): string {
  const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(file) as { version: string }).version;
}

/** A message that begins with the name of a field names the option, if the field was given by one. */
function inOptions(message: string, argv: string[]): string {
  return message.replaceAll(/(?<=^|; |: )(\w+)(\.\d+)?/g, (field, name: string) => {
    const kebab = name.replaceAll('_', '-').replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
    // `tags` come by --tag, and `deadlineMs` by --deadline.
    const options = [kebab, kebab.replace(/s$/, ''), kebab.replace(/-ms$/, '')].map(option => `--${option}`);
    const given = options.find(option => argv.some(word => word === option || word.startsWith(`${option}=`)));
    return given ?? field;
  });
}

function portSetting(command: string | undefined): string {
  return command === 'dev' ? 'HEADSTONE_PORT' : command === 'server' ? '--port or HEADSTONE_PORT' : '--port';
}

/** Explains an error in a sentence on standard error, without a stack. Returns the exit code. */
function explain(error: unknown, argv: string[]): number {
  // Commander has explained it already. Asking for help is no error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.wrongUse;
  if (error instanceof HeadstoneError) {
    // A store in memory helps only on a developer's machine, and is no part of a cluster.
    const isLocal =
      error.code === 'store_unreachable' &&
      /Redis at (127\.0\.0\.1|localhost)/.test(error.message) &&
      !/,|\+/.test(process.env.REDIS_URL ?? '');
    process.stderr.write(
      `${inOptions(error.message, argv)}${isLocal ? ' "headstone store" starts one in memory.' : ''}\n`,
    );
    return error.code === 'invalid_request' || error.code === 'configuration' ? exitCodes.wrongUse : exitCodes.failed;
  }
  const { code, syscall, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(
    code === 'EADDRINUSE'
      ? `Port ${port} on ${address} is already in use. Stop the other program, or choose another port with ${portSetting(argv[2])}.\n`
      : code === 'ENOENT' && syscall === 'open'
        ? `There is no such file: ${(error as NodeJS.ErrnoException).path}.\n`
        : `${message}\n`,
  );
  return exitCodes.failed;
}
