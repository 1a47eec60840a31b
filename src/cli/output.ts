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

/** Columns as wide as their widest cell, colours apart; numbers stand to the right. */
export function table(header: string[], rows: (string | number)[][]): string {
  const cells = [header, ...rows.map(row => row.map(String))];
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

function padding(cell: string, width: number): string {
  return ' '.repeat(width - widthOf(cell));
}

function widthOf(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
