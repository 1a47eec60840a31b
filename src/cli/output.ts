import { stripVTControlCharacters } from 'node:util';
import type { Command } from 'commander';

/** Adds `--json` and an example, which every command has. */
export function withJson(command: Command, ...examples: string[]): Command {
  return withExamples(command.option('--json', 'one JSON object a line'), ...examples);
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

/** Prose, broken between words where a terminal is narrower than it. */
export function printProse(text: string): void {
  print(process.stdout.isTTY ? wrapped(text, process.stdout.columns || 80) : text);
}

export function wrapped(text: string, width: number): string {
  const indent = /^ */.exec(text)?.[0] ?? '';
  const lines: string[] = [];
  for (const word of text.trimStart().split(' ')) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(indent + word);
  }
  return lines.join('\n');
}

/** Columns as wide as their widest cell, colours apart; numbers stand to the right. A header may have several lines. */
export function table(header: string[], rows: (string | number)[][]): string {
  const cells = [...headerLines(header), ...rows.map(row => row.map(String))];
  const widths = header.map((_, column) => Math.max(...cells.map(row => widthOf(row[column] ?? ''))));
  const numeric = header.map((_, column) => rows.length > 0 && rows.every(row => typeof row[column] === 'number'));
  return cells
    .map(row =>
      row
        .map((cell, column) =>
          numeric[column] ? cell.padStart(widths[column] ?? 0) : cell + padding(cell, widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The last line of each stands right above the column. */
function headerLines(header: string[]): string[][] {
  const names = header.map(name => name.split('\n'));
  const height = Math.max(...names.map(lines => lines.length));
  return Array.from({ length: height }, (_, line) => names.map(lines => lines[line - height + lines.length] ?? ''));
}

function padding(cell: string, width: number): string {
  return ' '.repeat(width - widthOf(cell));
}

function widthOf(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
