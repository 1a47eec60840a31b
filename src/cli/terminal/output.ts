import type { Command } from 'commander';
import { wrapped } from './width.ts';

/** Adds `--json` and examples to a command. */
export function withJson(command: Command, ...examples: string[]): Command {
  return withExamples(command.option('--json', 'print one JSON object per line'), ...examples);
}

export function withExamples(command: Command, ...examples: string[]): Command {
  if (examples.length === 0) return command;
  const lines = examples.map(example => `  ${example}`).join('\n');
  return command.addHelpText('after', `\nExample${examples.length > 1 ? 's' : ''}:\n${lines}`);
}

/** The beginning of an id for a person at a terminal, by which it is found. Programs get the whole id. */
export function shortId(id: string): string {
  return process.stdout.isTTY && id.length > 16 ? `${id.slice(0, 13)}…` : id;
}

export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/** Prints prose. On a terminal it is broken between words, and every line keeps the indent of the first. */
export function printProse(text: string): void {
  print(process.stdout.isTTY ? wrapped(text, process.stdout.columns || 80) : text);
}
