import type { Sample } from './scenario.ts';

/** The figures of all rounds: medians, and the ratios to an opponent that ran in the same rounds. */
export interface Finding {
  scenario: string;
  figure: string;
  /** Medians. They drift with the machine; the ratios do not. */
  ours: number;
  against?: { name: string; theirs: number; min: number; median: number; max: number };
  goal?: string;
}

/** Sums up the rounds of a scenario. Each round has the same figures in the same order. */
export function findings(scenario: string, rounds: Sample[][]): Finding[] {
  return (rounds[0] ?? []).map(({ figure, against, goal }, position) => {
    const samples = rounds.flatMap(round => round[position] ?? []);
    const ours = median(samples.map(sample => sample.ours));
    const told = goal === undefined ? {} : { goal };
    if (!against) return { scenario, figure, ours, ...told };
    const theirs = samples.map(sample => sample.against?.theirs ?? Number.NaN);
    const ratios = samples.map((sample, round) => sample.ours / (theirs[round] ?? Number.NaN));
    return {
      scenario,
      figure,
      ours,
      against: {
        name: against.name,
        theirs: median(theirs),
        min: Math.min(...ratios),
        median: median(ratios),
        max: Math.max(...ratios),
      },
      ...told,
    };
  });
}

function median(values: number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
