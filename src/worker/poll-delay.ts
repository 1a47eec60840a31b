export interface PollDelayOptions {
  pollMinMs: number;
  pollMaxMs: number;
  /** By when the provider promises to have run it; 0 where it begins at once. */
  windowMs?: number;
}

/** Of a completion window between two looks: 8 minutes of eight hours, less than the ten that a result is sure to be kept. */
const SHARE_OF_WINDOW = 1 / 60;
const LONGEST_PACE_MS = 8 * 60_000;

/** The older a run is, the longer it will still take: a quarter of its age keeps the lateness in proportion. */
const SHARE_OF_AGE = 0.25;
const JITTER = 0.2;

/** Needs no memory of earlier polls, so a crash cannot lose it. Jitter keeps jobs of one batch apart. */
export function pollDelayMs(ageMs: number, options: PollDelayOptions, random = Math.random): number {
  const { pollMinMs, pollMaxMs, windowMs = 0 } = options;
  const longest = Math.max(pollMaxMs, Math.min(windowMs * SHARE_OF_WINDOW, LONGEST_PACE_MS));
  const steady = Math.min(Math.max(ageMs * SHARE_OF_AGE, pollMinMs), longest);
  return Math.round(steady * (1 - JITTER + 2 * JITTER * random()));
}
