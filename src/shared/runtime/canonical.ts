import { createHash } from 'node:crypto';
import { configure } from 'safe-stable-stringify';

/** The same value gives the same text, in whatever order its keys were written. */
const canonicalJson = configure({ deterministic: inCanonicalOrder });

/** By which two requests under one id are told to be the same. */
export function fingerprint(value: unknown): string {
  return createHash('sha256')
    .update(canonicalJson(value) ?? '')
    .digest('hex');
}

/** Keys that are numbers come first, as JavaScript orders them: the fingerprints on record were made that way. */
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
