import { isOpen } from './record.ts';
import { beginning, type Move, movesOf, type Rules, type World } from './world.ts';

export interface Explored {
  states: number;
  /** What a promise forbids, with the shortest way there; null if nothing was found. */
  violation: { what: string; way: string[] } | null;
}

/** Goes through everything that can happen, the shortest ways first, until a promise is broken or nothing is left. */
export function explore(rules: Rules): Explored {
  const seen = new Map<string, { from: string | null; by: string }>();
  const keyOf = (world: World) => JSON.stringify(world);
  let frontier: World[] = [beginning];
  seen.set(keyOf(beginning), { from: null, by: 'accepted' });
  const wayTo = (key: string): string[] => {
    const way: string[] = [];
    for (let at: string | null = key; at !== null; at = seen.get(at)?.from ?? null) way.unshift(seen.get(at)?.by ?? '');
    return way;
  };
  while (frontier.length > 0) {
    const next: World[] = [];
    for (const world of frontier) {
      const key = keyOf(world);
      const moves = movesOf(world, rules)
        .map(move => ({ ...move, key: keyOf(move.world) }))
        .filter(move => move.key !== key);
      if (moves.length === 0) {
        const what = unfinished(world);
        if (what !== null) return { states: seen.size, violation: { what, way: wayTo(key) } };
      }
      for (const move of moves) {
        const what = forbidden(world, move);
        const isNew = !seen.has(move.key);
        if (isNew) seen.set(move.key, { from: key, by: move.name });
        if (what !== null) return { states: seen.size, violation: { what, way: [...wayTo(key), move.name] } };
        if (isNew) next.push(move.world);
      }
    }
    frontier = next;
  }
  return { states: seen.size, violation: null };
}

/** What a step must not do, in a sentence. */
function forbidden(before: World, { world }: Move): string | null {
  const { kept, responses } = world;
  if (!isOpen(before.kept) && kept.status !== before.kept.status) return 'I2: an outcome has changed';
  if (world.isCancelAcknowledged && kept.status !== 'cancelled') return 'I1: an acknowledged cancel does not hold';
  if (responses.some(({ epoch }) => kept.launches[epoch - 1] === undefined)) return 'I4: a POST without an intent';
  if (new Set(responses.map(({ epoch }) => epoch)).size < responses.length) return 'I6: two POSTs of one intent';
  const known = kept.launches.slice(0, -1);
  if (known.includes('intended')) return 'I6: a launch beside one that may be under way';
  if (Object.values(kept.rows).filter(({ kind }) => kind !== 'wasted').length > 1) return 'I6: two wanted responses';
  const hasFailed = isOpen(before.kept) && kept.status === 'failed';
  if (hasFailed && kept.launches.at(-1) !== 'unknown') return 'I7: a launch that is known was given up';
  for (const [response, { kind }] of Object.entries(kept.rows))
    if (kind === 'used' && (kept.status !== 'completed' || kept.response !== Number(response)))
      return 'I3: a response is booked as used, and is no result';
  return null;
}

/** What must not be left when nothing more can happen, in a sentence. */
function unfinished({ kept, responses, outbox, isCancelHalfway }: World): string | null {
  if (isOpen(kept)) return 'I5: nobody goes on with an open job';
  if (isCancelHalfway || outbox.length > 0) return 'I10: something is left to do';
  if (kept.launches.includes('intended')) return 'I4: a launch is neither known nor unknown';
  for (const [number, { epoch, isHeard }] of responses.entries()) {
    const row = kept.rows[number];
    if (!row && isHeard) return 'I3: an id was heard, and its response has no row';
    if (!row && kept.launches[epoch - 1] !== 'unknown') return 'I3: a response without a row, and no launch is unknown';
    if (row && (row.kind === null || !row.isFinal)) return 'I3: a row is never settled';
  }
  return null;
}
