import type { Configuration } from '../shared/runtime/settings.ts';
import type { Lane } from '../shared/store/lane.ts';
import type { LaneShare } from '../shared/store/lua/share.ts';
import { Patrol } from '../shared/store/patrol.ts';
import { fairShares } from './fair-shares.ts';

/** True if somebody has given the lane a share of the caps. */
export async function hasShare(lane: Lane): Promise<boolean> {
  return (await lane.ask(client => client.exists(lane.keys.share()))) === 1;
}

/**
 * Shares the deployment's caps out among its lanes, so that together they are never exceeded: HEADSTONE_MAX_IN_FLIGHT and
 * HEADSTONE_POLLS_PER_SECOND. One worker does it at a time, by a lease in the first lane, and each lane refuses one that was
 * replaced. A lane gets more only out of what the lanes did not have when they were read, and nothing is given while one of
 * them is away: its responses may still run.
 */
export class ShareOut {
  private readonly token: string;
  private readonly configuration: Configuration;
  private term: number | undefined;
  private round = 0;

  constructor(token: string, configuration: Configuration) {
    this.token = token;
    this.configuration = configuration;
  }

  /** One round. Throws if a lane is away. */
  async divide(lanes: Lane[]): Promise<void> {
    const [home] = lanes;
    if (!home || lanes.length === 1) return;
    if (!(await new Patrol(home).takeLease(this.token, home.keys.sharer()))) {
      this.term = undefined;
      return;
    }
    this.term ??= await home.ask(client => client.incr(home.keys.term()));
    this.round += 1;
    const known = await this.tellAll(lanes, []);
    const lowered = known && (await this.tellAll(lanes, this.wishes(known)));
    // What a lane has given up is free at once. Polls are not: their lane may have sent them in this second.
    if (lowered) await this.tellAll(lanes, this.slotWishes(lowered));
  }

  async leave(home: Lane): Promise<void> {
    if (this.term !== undefined) await new Patrol(home).handOverLease(this.token, home.keys.sharer());
  }

  /** Null if another worker shares out by now. */
  private async tellAll(lanes: Lane[], wishes: Wish[]): Promise<LaneShare[] | null> {
    const { term = 0 } = this;
    const replies = await Promise.all(lanes.map((lane, position) => lane.run('share', { term, ...wishes[position] })));
    const shared = replies.flatMap(reply => (reply.reply === 'shared' ? [reply] : []));
    if (shared.length === lanes.length) return shared;
    this.term = undefined;
    return null;
  }

  private slotWishes(known: LaneShare[]): Wish[] {
    const { maxInFlight } = this.configuration;
    const has = known.map(lane => lane.in_flight);
    const needs = known.map(({ running, waiting }) => running + waiting);
    const shares = fairShares(maxInFlight, needs, this.round % known.length);
    return within(maxInFlight, has, shares).map(in_flight => ({ in_flight }));
  }

  private wishes(known: LaneShare[]): Wish[] {
    // In thousandths of a poll per second, because a lane may have less than one.
    const cap = this.configuration.pollsPerSecond * 1000;
    const has = known.map(({ polls }) => Math.ceil(polls * 1000));
    const needs = known.map(({ due }) => due * 1000);
    const polls = within(cap, has, fairShares(cap, needs, this.round % known.length));
    return this.slotWishes(known).map((slots, lane) => ({ ...slots, ...limitOf(polls[lane] ?? 0) }));
  }
}

interface Wish {
  in_flight: number;
  polls?: number;
  duration_ms?: number;
}

const LONGEST_MS = 60_000;

/** A limit as BullMQ keeps it: a whole number of polls in a time. */
function limitOf(thousandths: number): Pick<Wish, 'polls' | 'duration_ms'> {
  if (thousandths >= 1000) return { polls: Math.floor(thousandths / 1000), duration_ms: 1000 };
  return { polls: 1, duration_ms: Math.min(LONGEST_MS, Math.ceil(1_000_000 / Math.max(1, thousandths))) };
}

/** What each lane gets now: at most what it should have, and more than before only out of what nobody has yet. */
function within(cap: number, has: number[], wanted: number[]): number[] {
  let free = cap - has.reduce((sum, amount) => sum + amount, 0);
  return wanted.map((amount, lane) => {
    const before = has[lane] ?? 0;
    if (amount <= before) return amount;
    const more = Math.max(0, Math.min(amount - before, free));
    free -= more;
    return before + more;
  });
}
