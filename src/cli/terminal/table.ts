import { whole } from '../../shared/runtime/format.ts';
import { widthOf } from './width.ts';

const GAP = '  ';

/** No column of text is made narrower than this. */
const LEAST_WIDTH = 6;

export type Cell = string | number;

export interface TableOptions {
  /** The width that it has to fit into. Default: the terminal's; as wide as it is where there is none. */
  width?: number | undefined;
  /** Columns of text that are not shortened. */
  kept?: number[];
  /** Columns of text that are shortened only once all others are as narrow as they may be. */
  shortenedLast?: number[];
  /** Colours a cell once it is aligned. */
  paint?(cell: string, column: number): string;
}

/**
 * A table whose columns are as wide as their widest cell. Numbers are grouped and aligned right. A header may have several lines. On a
 * terminal the widest columns of text are shortened until each line fits.
 */
export function table(header: string[], rows: Cell[][], options: TableOptions = {}): string {
  const {
    width = process.stdout.isTTY ? process.stdout.columns : undefined,
    kept = [],
    shortenedLast = [],
    paint = cell => cell,
  } = options;
  const heads = headerLines(header);
  const cells = [...heads, ...rows.map(row => row.map(cell => (typeof cell === 'number' ? whole(cell) : cell)))];
  const numeric = header.map((_, column) => rows.some(row => typeof row[column] === 'number'));
  const natural = header.map((_, column) => Math.max(...cells.map(row => widthOf(row[column] ?? ''))));
  const fixed = numeric.map((isNumeric, column) => isNumeric || kept.includes(column));
  const early = fixed.map((isFixed, column) => isFixed || shortenedLast.includes(column));
  const widths = fitted(fitted(natural, early, width), fixed, width);
  const aligned = (cell: string, column: number) => {
    const shown = shortened(cell, widths[column] ?? 0);
    const padding = ' '.repeat((widths[column] ?? 0) - widthOf(shown));
    return numeric[column] ? padding + shown : shown + padding;
  };
  return cells
    .map((row, line) => {
      const last = row.length - 1;
      const shown = row.map((cell, column) => {
        const text = column === last ? aligned(cell, column).trimEnd() : aligned(cell, column);
        return line < heads.length ? text : paint(text, column);
      });
      return shown.join(GAP).trimEnd();
    })
    .join('\n');
}

/** The widths of the columns once the widest ones of text were made narrower until a line fits. */
function fitted(natural: number[], fixed: boolean[], width: number | undefined): number[] {
  const widths = [...natural];
  if (!width) return widths;
  const total = () => widths.reduce((sum, one) => sum + one, GAP.length * (widths.length - 1));
  while (total() > width && fixed.includes(false)) {
    const widest = widths.reduce(
      (best, one, column) => (!fixed[column] && one > (widths[best] ?? 0) ? column : best),
      fixed.indexOf(false),
    );
    if (widest === -1 || (widths[widest] ?? 0) <= LEAST_WIDTH) return widths;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

/** A text that takes at most so many places, with … for what was left out. */
function shortened(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let shown = '';
  for (const character of text) {
    if (widthOf(shown + character) > width - 1) break;
    shown += character;
  }
  return `${shown}…`;
}

/** The last line of each header is right above its column. */
function headerLines(header: string[]): string[][] {
  const names = header.map(name => name.split('\n'));
  const height = Math.max(...names.map(lines => lines.length));
  return Array.from({ length: height }, (_, line) => names.map(lines => lines[line - height + lines.length] ?? ''));
}
