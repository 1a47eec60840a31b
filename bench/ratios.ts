/** What one contestant reached in one round. */
export type Figures = Record<string, number>;

export interface Ratio {
  figure: string;
  /** Headstone's figure divided by the opponent's, in each round. */
  min: number;
  median: number;
  max: number;
  /** The medians of the figures themselves. They drift with the machine; the ratios do not. */
  headstone: number;
  opponent: number;
}

/** The ratios of two contestants that ran in the same rounds. */
export function ratios(headstone: Figures[], opponent: Figures[]): Ratio[] {
  return Object.keys(headstone[0] ?? {}).map(figure => {
    const mine = headstone.map(round => round[figure] ?? Number.NaN);
    const theirs = opponent.map(round => round[figure] ?? Number.NaN);
    const each = mine.map((value, round) => value / (theirs[round] ?? Number.NaN));
    return {
      figure,
      min: Math.min(...each),
      median: median(each),
      max: Math.max(...each),
      headstone: median(mine),
      opponent: median(theirs),
    };
  });
}

function median(values: number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
