import { pollDelayMs } from '../../src/worker/schedule.ts';
import type { Scenario } from '../scenario.ts';

const RUNS = 20_000;
const SHORTEST_S = 5;
const LONGEST_S = 1800;
const defaults = { pollMinMs: 2000, pollMaxMs: 30_000 };

export const detection: Scenario = {
  name: 'detection',
  about:
    'How late an outcome is seen, and by how many polls, on a simulated clock: lognormal durations from 5 s to 30 min, beside a poll every 2 s.',
  async measure() {
    const runs = durations();
    const ours = watch(runs, age => pollDelayMs(age, defaults));
    const theirs = watch(runs, () => 2000);
    return [
      {
        figure: 'polls per response',
        ours: ours.polls,
        against: { name: 'every 2 s', theirs: theirs.polls },
        goal: '≤ 0.33',
      },
      { figure: 'sum of delays, part of the durations (%)', ours: ours.late, goal: '≤ 5' },
    ];
  },
};

/** Nineteen of twenty lie between the shortest and the longest. The others are drawn again. */
function durations(): number[] {
  const [shortest, longest] = [Math.log(SHORTEST_S), Math.log(LONGEST_S)];
  const runs: number[] = [];
  while (runs.length < RUNS) {
    const normal = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
    const seconds = Math.exp((shortest + longest) / 2 + (normal * (longest - shortest)) / 4);
    if (seconds >= SHORTEST_S && seconds <= LONGEST_S) runs.push(seconds * 1000);
  }
  return runs;
}

function watch(runs: number[], delayMs: (age: number) => number): { polls: number; late: number } {
  let polls = 0;
  let late = 0;
  for (const duration of runs) {
    let age = 0;
    while (age < duration) {
      age += delayMs(age);
      polls += 1;
    }
    late += age - duration;
  }
  return { polls: polls / runs.length, late: (100 * late) / runs.reduce((sum, duration) => sum + duration, 0) };
}
