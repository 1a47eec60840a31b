import { hash, randomUUID } from 'node:crypto';

/** How the ids begin that Headstone draws. Sixteen times two hexadecimal digits follow. */
export const DRAWN_ID = 'resp_';

/** Ids that Headstone makes end with the number of their lane. Those of a deployment with one lane had no number. */
const ownId = /^(?:resp_[0-9a-f]{32}|own_[0-9a-f]{40})(\d\d)?$/;

/** The number of lanes that a deployment has, and every number that it had before, the oldest first. */
export class LanePlan {
  readonly counts: readonly number[];

  constructor(counts: readonly number[]) {
    this.counts = counts;
  }

  get count(): number {
    return this.counts.at(-1) ?? 1;
  }

  /** The plans that the deployment had before this one, the oldest first. */
  earlier(): LanePlan[] {
    return this.counts.slice(0, -1).map((_, position) => new LanePlan(this.counts.slice(0, position + 1)));
  }

  /** The lane in which a job of this id is made. */
  laneOf(id: string): number {
    return laneOf(id, this.count);
  }

  /**
   * The lanes in which a job of this id may be. It is one, unless an app chose the id and the number of lanes was raised: then
   * the job may be where the id belonged before.
   */
  candidatesOf(id: string): number[] {
    if (this.counts.length === 1 || carriedLane(id) !== undefined) return [this.laneOf(id)];
    return [...new Set(this.counts.toReversed().map(count => laneOf(id, count)))];
  }

  /** True if the id names a lane that this plan does not have yet. */
  isBehind(id: string): boolean {
    return (carriedLane(id) ?? 0) >= this.count;
  }

  /** Writes the lane behind an id that Headstone makes. A deployment with one lane has none to write. */
  carry(id: string, lane: number): string {
    return this.count === 1 ? id : `${id}${String(lane).padStart(2, '0')}`;
  }
}

/**
 * A new job's id. It has the shape of the provider's ids, because some clients check it. Node draws the chance for many UUIDs
 * at once, where `randomBytes` takes a fifth of the time of an enqueue.
 */
export function newJobId(plan: LanePlan, lane: number): string {
  return plan.carry(`${DRAWN_ID}${randomUUID().replaceAll('-', '')}`, lane);
}

function laneOf(id: string, count: number): number {
  if (count === 1) return 0;
  const carried = carriedLane(id);
  return carried !== undefined && carried < count ? carried : hash('sha1', id, 'buffer').readUInt32BE() % count;
}

/** True if Headstone made the id, so that its lane is known whatever the number of lanes is. */
export function hasOwnLane(id: string): boolean {
  return carriedLane(id) !== undefined;
}

function carriedLane(id: string): number | undefined {
  const match = ownId.exec(id);
  return match ? Number(match[1] ?? 0) : undefined;
}
