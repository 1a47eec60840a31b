/**
 * When the watcher looks at a response that nobody wants any more. Flips were reported seconds to minutes after a
 * cancel, so the looks are close together first and far apart later.
 */
const LOOKS = [1, 3, 12, 36, 360];

export interface Watch {
  /** When the response lost its use. All times on Redis' clock, in milliseconds. */
  endedAt: number;
  openedAt: number;
  firstMs: number;
  windowMs: number;
  retentionFloorMs: number;
  /** How long the provider may leave the response in its queue; left out where it begins at once. */
  providersMs?: number;
}

/** Of a completion window, so that a run is seen before the provider may delete it. */
const SHARE_OF_WINDOW = 1 / 60;
const LONGEST_PACE_MS = 8 * 60_000;

export function windowEnd(watch: Watch): number {
  return watch.endedAt + watch.windowMs;
}

/** The first look after `after`; the window's end is the last one, and null comes after it. */
export function nextLook(watch: Watch, after: number): number | null {
  const end = windowEnd(watch);
  const looks = [
    ...LOOKS.map(times => watch.endedAt + times * watch.firstMs),
    // The provider may delete a response after ten minutes: the last sure chance to see its usage.
    watch.openedAt + watch.retentionFloorMs,
    end,
    ...(watch.providersMs ? [after + Math.min(watch.providersMs * SHARE_OF_WINDOW, LONGEST_PACE_MS)] : []),
  ];
  const later = looks.filter(look => look > after && look <= end);
  return later.length > 0 ? Math.min(...later) : null;
}
