import type { Command } from 'commander';
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

/** Adds `--json` and examples to a command. */
export function withJson(command: Command, ...examples: string[]): Command {
  return withExamples(command.option('--json', 'print one JSON object per line'), ...examples);
}

export function withExamples(command: Command, ...examples: string[]): Command {
  const lines = examples.map(example => `  ${example}`).join('\n');
  return command.addHelpText('after', `\nExample${examples.length > 1 ? 's' : ''}:\n${lines}`);
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

export function wrapped(text: string, width: number): string {
  const indent = /^ */.exec(text)?.[0] ?? '';
  return wrapAnsi(text.trimStart(), width - indent.length).replaceAll(/^(?=.)/gm, indent);
}

/** A table whose columns are as wide as their widest cell. Numbers are aligned right. A header may have several lines. */
export function table(header: string[], rows: (string | number)[][]): string {
  const cells = [...headerLines(header), ...rows.map(row => row.map(String))];
  const widths = header.map((_, column) => Math.max(...cells.map(row => stringWidth(row[column] ?? ''))));
  const numeric = header.map((_, column) => rows.length > 0 && rows.every(row => typeof row[column] === 'number'));
  const aligned = (cell: string, column: number) => {
    const padding = ' '.repeat((widths[column] ?? 0) - stringWidth(cell));
    return numeric[column] ? padding + cell : cell + padding;
  };
  return cells.map(row => row.map(aligned).join('  ').trimEnd()).join('\n');
}

/** The last line of each header is right above its column. */
function headerLines(header: string[]): string[][] {
  const names = header.map(name => name.split('\n'));
  const height = Math.max(...names.map(lines => lines.length));
  return Array.from({ length: height }, (_, line) => names.map(lines => lines[line - height + lines.length] ?? ''));
}
