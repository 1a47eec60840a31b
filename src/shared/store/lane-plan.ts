import { hash } from 'node:crypto';
import { HeadstoneError } from '../contract/errors.ts';
import type { Lane } from './lane.ts';
import { MOST_LANES } from './lane-prefix.ts';

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
    if (carriedLane(id) !== undefined) return [this.laneOf(id)];
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

/** What a lane's fence says while the number of lanes is raised. */
const RAISING = 'raising';

/** Reads the plan of a deployment. One that was never told of lanes has one. */
export async function readPlan(home: Lane): Promise<LanePlan> {
  const text = await home.ask(client => client.get(home.keys.lanes()));
  return new LanePlan((text ?? '1').split(',').map(Number));
}

/**
 * Makes the plan of a new deployment, in one step, so that processes which start together agree. A deployment that has jobs
 * keeps its plan. KEYS: the plan, the fence of the first lane, the sequence of its jobs. ARGV: the number of lanes.
 */
const makePlan = `#!lua
if redis.call('EXISTS', KEYS[1], KEYS[3]) > 0 then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], ARGV[1])
return 1`;

/** The plan of a deployment, which is made if it is new. Throws `configuration` if this process was set to another number. */
export async function agreeOnPlan(home: Lane, wanted: number | undefined): Promise<LanePlan> {
  const { keys } = home;
  if (wanted !== undefined && wanted > 1)
    await home.ask(client => client.eval(makePlan, 3, keys.lanes(), keys.fence(), keys.sequence(), wanted));
  const plan = await readPlan(home);
  if (wanted === undefined || wanted === plan.count) return plan;
  const [is, has] = [counted(wanted), counted(plan.count)];
  const advice =
    wanted > plan.count
      ? `Set HEADSTONE_LANES to ${plan.count}, or raise the number first: headstone lanes raise ${wanted}.`
      : `Set HEADSTONE_LANES to ${plan.count}, or leave it out. The number of lanes cannot be lowered.`;
  throw new HeadstoneError('configuration', `HEADSTONE_LANES says ${is}, but this deployment has ${has}. ${advice}`);
}

function counted(lanes: number): string {
  return lanes === 1 ? 'one lane' : `${lanes} lanes`;
}

/** Writes into each lane how many there are, so that it accepts what was placed by this number and by no other. */
export async function writeFences(lanes: Lane[], count: number): Promise<void> {
  // The first lane goes first: a raise that was given up there fails at its next step (see `raiseLanes`).
  for (const lane of lanes) await lane.ask(client => client.set(lane.keys.fence(), String(count)));
}

/** KEYS: the plan, the fence of the first lane. ARGV: the plan before, the plan after, what the fence has to say. */
const changePlan = `#!lua
if redis.call('GET', KEYS[2]) ~= ARGV[3] or (redis.call('GET', KEYS[1]) or '1') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1`;

/**
 * Raises the number of lanes while everything runs. Jobs stay where they are. At first no lane accepts an id of the app any
 * more, because it would be placed by the old number; then the plan changes; then every lane accepts by the new one. A process
 * that meets a closed fence for too long opens it by the plan that it finds, so a raise that died half-way blocks nobody.
 *
 * `open` opens the lanes up to a number. Throws `invalid_request`, and `store_refused` if somebody else changed the plan.
 */
export async function raiseLanes(home: Lane, count: number, open: (count: number) => Lane[]): Promise<LanePlan> {
  if (!Number.isInteger(count) || count < 1 || count > MOST_LANES)
    throw new HeadstoneError('invalid_request', `A deployment has from 1 to ${MOST_LANES} lanes.`, { param: 'lanes' });
  const before = await readPlan(home);
  if (count < before.count)
    throw new HeadstoneError(
      'invalid_request',
      `This deployment has ${counted(before.count)}, and the number cannot be lowered.`,
      { param: 'lanes' },
    );
  if (count === before.count) return before;
  const after = new LanePlan([...before.counts, count]);
  const mark = `${RAISING} to ${count}, ${Date.now()}`;
  for (const lane of open(before.count)) await lane.ask(client => client.set(lane.keys.fence(), mark));
  const isChanged = await home.ask(client =>
    client.eval(changePlan, 2, home.keys.lanes(), home.keys.fence(), before.counts.join(), after.counts.join(), mark),
  );
  if (isChanged !== 1)
    throw new HeadstoneError('store_refused', 'Another process changed the number of lanes meanwhile. Try again.');
  await writeFences(open(count), count);
  return after;
}
