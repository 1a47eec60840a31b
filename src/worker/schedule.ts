/** The part of a completion window between two polls, so that a run is seen before the provider may delete it. */
const SHARE_OF_WINDOW = 1 / 60;
const LONGEST_PACE_MS = 8 * 60_000;

/**
 * The older a run is, the less likely it ends in the next second. Polls that come after the square root of its age cost the
 * least for the lateness that they leave: under a third of the polls of one every two seconds, and outcomes that come 2 % of
 * a run late (docs/decisions/0024).
 */
const SHARE_OF_AGE = 0.28;
const JITTER = 0.2;

export interface PollDelayOptions {
  pollMinMs: number;
  pollMaxMs: number;
  /** How long the provider may take to run it; 0 if it begins at once. */
  windowMs?: number;
}

/** How long after a poll the next one comes. It needs no memory that a crash could lose, and jitter keeps jobs of one batch apart. */
export function pollDelayMs(ageMs: number, options: PollDelayOptions, random = Math.random): number {
  const { pollMinMs, pollMaxMs, windowMs = 0 } = options;
  const longest = Math.max(pollMaxMs, Math.min(windowMs * SHARE_OF_WINDOW, LONGEST_PACE_MS));
  const byAge = Math.sqrt(Math.max(0, ageMs) * pollMinMs * SHARE_OF_AGE);
  const steady = Math.min(Math.max(byAge, pollMinMs), longest);
  return Math.round(steady * (1 - JITTER + 2 * JITTER * random()));
}

/**
 * When an unwanted response is observed, in multiples of HEADSTONE_SETTLE_FIRST_MS. Users report flips seconds to minutes
 * after a cancel, so the first observations are close together and the later ones far apart.
 */
const OBSERVATIONS = [1, 3, 12, 36, 360];

/** How an unwanted response is watched. All times are milliseconds on Redis' clock. */
export interface Watch {
  /** When nobody wanted the response any more. */
  endedAt: number;
  openedAt: number;
  firstMs: number;
  windowMs: number;
  retentionFloorMs: number;
  /** How long the provider may leave the response in its queue; left out if it begins at once. */
  providersMs?: number;
}

export function windowEnd(watch: Watch): number {
  return watch.endedAt + watch.windowMs;
}

/** The time of the first observation after `after`. The window's end is the last one; after it the answer is null. */
export function nextObservation(watch: Watch, after: number): number | null {
  const end = windowEnd(watch);
  const times = [
    ...OBSERVATIONS.map(multiple => watch.endedAt + multiple * watch.firstMs),
    // The provider may delete a response after ten minutes, so this is the last sure chance to see its usage.
    watch.openedAt + watch.retentionFloorMs,
    end,
    ...(watch.providersMs ? [after + Math.min(watch.providersMs * SHARE_OF_WINDOW, LONGEST_PACE_MS)] : []),
  ];
  const later = times.filter(time => time > after && time <= end);
  return later.length > 0 ? Math.min(...later) : null;
}
