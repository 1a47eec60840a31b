import type { Command } from 'commander';
import { widthOf, wrapped } from './width.ts';

const GAP = '  ';

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

/** Says something on standard error, because standard output is for what was asked for. */
export function say(text: string): void {
  process.stderr.write(`${process.stderr.isTTY ? wrapped(text, process.stderr.columns || 80) : text}\n`);
}

/** A text beside what stands in front of its first line. On a terminal it is broken between words, under itself. */
export function beside(front: string, text: string): string {
  const indent = ' '.repeat(widthOf(front) + GAP.length);
  const lines = process.stdout.isTTY ? wrapped(indent + text, process.stdout.columns || 80) : indent + text;
  return front + GAP + lines.slice(indent.length);
}
