import { HeadstoneError } from '../../contract/errors.ts';
import type { Lane } from '../lane.ts';
import { LanePlan } from './plan.ts';
import { MOST_LANES } from './prefix.ts';

/** Opens the lanes up to a number. */
type Open = (count: number) => Lane[];

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
export async function agreeOnPlan(home: Lane, wanted: number | undefined, open: Open): Promise<LanePlan> {
  const { keys } = home;
  const found = await home.ask(client => client.exists(keys.lanes()));
  // A full store refuses this write, and has a plan from an earlier start.
  if (wanted !== undefined && wanted > 1 && found === 0) {
    await beginEpochs(open(wanted));
    const isNew = await home.ask(client =>
      client.eval(makePlan, 3, keys.lanes(), keys.fence(), keys.sequence(), wanted),
    );
    // The first lane has its fence from that step. Another process may have written the others meanwhile.
    if (isNew === 1) await Promise.all(open(wanted).map(lane => setFence(lane, '', wanted)));
  }
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

/** How many epochs a lane has for itself. An epoch has at most 14 digits, which is as many as JSON in Lua keeps. */
const EPOCHS_OF_A_LANE = 1e12;

/** No two lanes have the same epochs, so that an id which is used again in another lane meets no launch of its first job there. */
async function beginEpochs(lanes: Lane[]): Promise<void> {
  const later = lanes.filter(({ number }) => number > 0);
  await Promise.all(
    later.map(lane => lane.ask(client => client.setnx(lane.keys.epoch(), lane.number * EPOCHS_OF_A_LANE))),
  );
}

/** KEYS: the fence. ARGV: what it said, what it shall say. */
const changeFence = `#!lua flags=allow-oom
if (redis.call('GET', KEYS[1]) or '') == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2]) end
return 1`;

/** Writes into a lane how many there are, so that it accepts what was placed by this number. A fence that says more is left. */
async function setFence(lane: Lane, said: string, count: number): Promise<void> {
  await lane.ask(client => client.eval(changeFence, 1, lane.keys.fence(), said, String(count)));
}

/** KEYS: the plan, the fence of the first lane. ARGV: the plan before, the plan after, what the fence has to say. */
const changePlan = `#!lua
if redis.call('GET', KEYS[2]) ~= ARGV[3] or (redis.call('GET', KEYS[1]) or '1') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1`;

/**
 * Raises the number of lanes while everything runs. Jobs stay where they are. At first no lane accepts an id of the app any
 * more, because it would be placed by the old number; then the plan changes; then every lane accepts by the new one. If it fails
 * half-way, it opens what it has closed. Throws `invalid_request`, and `store_refused` if somebody else changed the plan.
 */
export async function raiseLanes(home: Lane, count: number, open: Open): Promise<LanePlan> {
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
  const lanes = open(count);
  const [old, added] = [lanes.slice(0, before.count), lanes.slice(before.count)];
  await beginEpochs(added);
  await copyPause(old, added);
  const after = new LanePlan([...before.counts, count]);
  const mark = `raising to ${count} since ${Date.now()}`;
  try {
    for (const lane of old) await lane.ask(client => client.set(lane.keys.fence(), mark));
    const keys = [home.keys.lanes(), home.keys.fence()] as const;
    const isChanged = await home.ask(client =>
      client.eval(changePlan, 2, ...keys, before.counts.join(), after.counts.join(), mark),
    );
    if (isChanged !== 1)
      throw new HeadstoneError('store_refused', 'Another process changed the number of lanes meanwhile. Try again.');
  } catch (error) {
    await openFences(home, open).catch(() => {});
    throw error;
  }
  await Promise.all([...old.map(lane => setFence(lane, mark, count)), ...added.map(lane => setFence(lane, '', count))]);
  // Launching may have been paused or resumed by a process that did not know of the new lanes yet.
  await copyPause(old, added);
  return after;
}

/** Launching is paused in all lanes or in none: a new lane must not spend while it is paused. */
async function copyPause(old: Lane[], added: Lane[]): Promise<void> {
  const paused = await Promise.all(old.map(lane => lane.ask(() => lane.queues.launch.isPaused())));
  const isPaused = paused.some(is => is);
  for (const lane of added) {
    const { launch } = lane.queues;
    await lane.ask(() => (isPaused ? launch.pause() : launch.resume()));
  }
}

/**
 * Opens the fence of the first lane by the plan, in one step with reading it: a raise that is only slow finds its mark gone and
 * changes nothing. Returns the number of lanes. KEYS: the plan, the fence. ARGV: what the fence said.
 */
const openFirst = `#!lua
local count = string.match(redis.call('GET', KEYS[1]) or '1', '(%d+)$')
if (redis.call('GET', KEYS[2]) or '') == ARGV[1] then redis.call('SET', KEYS[2], count) end
return tonumber(count)`;

/** Opens the fences that a raise which died has left closed, so that it blocks nobody. A fence that changes meanwhile is left. */
export async function openFences(home: Lane, open: Open): Promise<void> {
  const { count: known } = await readPlan(home);
  // A lane that is away is opened when it is met again.
  const said = await Promise.allSettled(open(known).map(lane => lane.ask(client => client.get(lane.keys.fence()))));
  const saidBy = (position: number) => {
    const one = said[position];
    return one?.status === 'fulfilled' ? (one.value ?? '') : '';
  };
  const count = Number(
    await home.ask(client => client.eval(openFirst, 2, home.keys.lanes(), home.keys.fence(), saidBy(0))),
  );
  await Promise.allSettled(open(count).map((lane, position) => setFence(lane, saidBy(position), count)));
}
