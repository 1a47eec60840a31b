import type { Random } from '../random.ts';

/** The ways in which a job comes about. */
export const ways = ['enqueue', 'http', 'upgrade', 'stream', 'adopt'] as const;
export type Way = (typeof ways)[number];

/** One job that a user wants, and what will become of it. */
export interface Order {
  number: number;
  way: Way;
  /** What the provider is told to do. */
  script: Record<string, number | string>;
  /** The time from its acceptance to its cancel; null if it is not cancelled. */
  cancelAfterMs: number | null;
  /** The times at which somebody looks at it. */
  readAfterMs: number[];
}

const shares: readonly (readonly [Way, number])[] = [
  ['enqueue', 0.4],
  ['http', 0.2],
  ['upgrade', 0.15],
  ['stream', 0.15],
  ['adopt', 0.1],
];
const CANCELLED = 0.2;
const FLIPS = 0.15;
const READ = 0.3;
/** The run of a plain create whose caller leaves. Nobody asks for its cancel, so it would be completed if the abort were lost. */
const DESERTED_MS = 90_000;

export function orderOf(number: number, random: Random): Order {
  const way = wayOf(random.below(1000) / 1000);
  const isCancelled = random.chance(CANCELLED);
  const flips = random.chance(FLIPS);
  const isDeserted = way === 'upgrade' && isCancelled;
  return {
    number,
    way,
    script: {
      create_ms: 100,
      duration_ms: isDeserted ? DESERTED_MS : 200 + random.below(3000),
      cancel: flips && !isDeserted ? 'flip' : 'honour',
      flip_after_ms: 300 + random.below(2000),
      input_tokens: 1 + random.below(1000),
      output_tokens: 1 + random.below(5000),
      deltas: 10,
    },
    cancelAfterMs: isCancelled ? random.below(3500) : null,
    readAfterMs: random.chance(READ) ? [random.below(2000), random.below(5000)] : [],
  };
}

/** The same order of a caller who stays. For one who leaves together with their server nobody cancels for most of a minute. */
export function patient(order: Order): Order {
  if (order.way !== 'upgrade' || order.cancelAfterMs === null) return order;
  return { ...order, cancelAfterMs: null, script: { ...order.script, duration_ms: 1000 } };
}

function wayOf(point: number): Way {
  let end = 0;
  for (const [way, share] of shares) {
    end += share;
    if (point < end) return way;
  }
  return 'enqueue';
}
