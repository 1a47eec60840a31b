export interface PollDelayOptions {
  pollMinMs: number;
  pollMaxMs: number;
}

/** The older a run is, the longer it will still take: a quarter of its age keeps the lateness in proportion. */
const SHARE_OF_AGE = 0.25;
const JITTER = 0.2;

/** Needs no memory of earlier polls, so a crash cannot lose it. Jitter keeps jobs of one batch apart. */
export function pollDelayMs(ageMs: number, { pollMinMs, pollMaxMs }: PollDelayOptions, random = Math.random): number {
  const steady = Math.min(Math.max(ageMs * SHARE_OF_AGE, pollMinMs), pollMaxMs);
  return Math.round(steady * (1 - JITTER + 2 * JITTER * random()));
}
