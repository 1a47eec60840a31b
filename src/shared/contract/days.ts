import { z } from 'zod';

const DAY_MS = 86_400_000;

/** A UTC day. */
export const daySchema = z.iso.date('must be a day like 2026-11-21');

const EXAMPLES = 'must be a day like 2026-11-21, or a moment like 2026-11-21T08:30:00Z';

/** A UTC day, or a moment with its time zone, with or without seconds. */
export const dayOrMomentSchema = z.union(
  [z.iso.date(), z.iso.datetime({ offset: true }), z.iso.datetime({ offset: true, precision: -1 })],
  EXAMPLES,
);

interface Period {
  since?: string | undefined;
  until?: string | undefined;
}

/** The first and the last millisecond of a period. A day counts from its first moment, or up to its last. */
export function boundsOf({ since, until }: Period): { from: number; to: number } {
  return {
    from: since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(since),
    to: until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until) + (isDay(until) ? DAY_MS - 1 : 0),
  };
}

function isDay(text: string): boolean {
  return daySchema.safeParse(text).success;
}

/** What `refine` takes to refuse a period that ends before it begins, since it would match nothing without a word. */
export const inOrder: [(period: Period) => boolean, { error: string; path: string[] }] = [
  period => {
    const { from, to } = boundsOf(period);
    return !(from > to);
  },
  { error: 'is after until, so it matches nothing', path: ['since'] },
];
