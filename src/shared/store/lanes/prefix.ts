import slotOf from 'cluster-key-slot';

/** A tag is written with two digits. */
export const MOST_LANES = 99;

const SLOTS = 16_384;
/** A tag's slot may be this far from where it should be. */
const TOLERANCE = 64;
const SALTS = ['', ...'abcdefghijklmnopqrstuvwxyz'].flatMap((first, _, all) => all.map(second => `${second}${first}`));

/**
 * The prefix of a lane's keys. Lane 0 has the deployment's own, `{headstone}`, so that a deployment with one lane has the keys
 * that it always had. The others are `{headstone:07}` with letters behind the number that move the tag's slot to its place:
 * clusters give each node a range of slots, and lanes whose slots fell by chance would crowd on some nodes.
 */
export function lanePrefix(prefix: string, lane: number): string {
  if (lane === 0) return prefix;
  const known = prefixes.get(`${prefix}${lane}`);
  if (known !== undefined) return known;
  const target = (slotOf(prefix) + Math.round(placeOf(lane) * SLOTS)) % SLOTS;
  const number = String(lane).padStart(2, '0');
  const candidates = SALTS.map(salt => prefix.replace('}', `:${number}${salt}}`));
  const made = candidates.reduce((best, candidate) =>
    distance(best, target) <= TOLERANCE || distance(best, target) <= distance(candidate, target) ? best : candidate,
  );
  prefixes.set(`${prefix}${lane}`, made);
  return made;
}

const prefixes = new Map<string, string>();

/**
 * Where a lane's slot is, from lane 0's as a part of all slots. It is van der Corput's sequence with the base 3 for the first
 * digit and 2 for all others: 3, 6, 12 and 24 lanes are spread evenly, and most clusters have a multiple of three nodes.
 */
export function placeOf(lane: number): number {
  let place = (lane % 3) / 3;
  let rest = Math.floor(lane / 3);
  for (let share = 1 / 6; rest > 0; share /= 2) {
    place += (rest % 2) * share;
    rest = Math.floor(rest / 2);
  }
  return place;
}

function distance(prefix: string, target: number): number {
  const apart = Math.abs(slotOf(prefix) - target);
  return Math.min(apart, SLOTS - apart);
}
