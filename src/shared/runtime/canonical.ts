import { hash } from 'node:crypto';
import { configure } from 'safe-stable-stringify';

/** JSON that does not depend on the order in which keys were written. */
const canonicalJson = configure({ deterministic: inCanonicalOrder });

const DIGITS = 32;

/** Two requests under one id are the same if their fingerprints are. Each job keeps one, so it has no more digits than it needs. */
export function fingerprint(value: unknown): string {
  return hash('sha256', canonicalJson(value) ?? '').slice(0, DIGITS);
}

/** JavaScript's order puts keys that are numbers first. The fingerprints on record were made that way. */
function inCanonicalOrder(left: string, right: string): number {
  const isLeftIndex = isIndex(left);
  if (isLeftIndex !== isIndex(right)) return isLeftIndex ? -1 : 1;
  if (isLeftIndex) return Number(left) - Number(right);
  return left < right ? -1 : 1;
}

const MOST_INDEX = 2 ** 32 - 2;

function isIndex(key: string): boolean {
  const first = key.charCodeAt(0);
  return first >= 48 && first <= 57 && /^(0|[1-9]\d{0,9})$/.test(key) && Number(key) <= MOST_INDEX;
}
