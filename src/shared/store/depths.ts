import type { Depths } from '../contract/depths.ts';
import { jobStatusSchema } from '../contract/words.ts';
import { within } from '../runtime/within.ts';
import type { Lane } from './lane.ts';
import { isServed, servantsOf } from './lanes/servants.ts';
import { DELAYED_SCORE_UNIT } from './lua/work.ts';
import type { Store } from './store.ts';

/** A probe has a second for its answer. A lane that takes most of that is away, so that the others are still told. */
const MOST_MS = 800;

/** How much waits where, over all lanes. A scrape costs about a dozen reads of one number each, in each lane. */
export async function readDepths(store: Store): Promise<Depths> {
  const lanes = await store.allLanes();
  const readings = await Promise.allSettled(
    lanes.map(lane => (lanes.length === 1 ? depthsOf(lane) : within(MOST_MS, depthsOf(lane)))),
  );
  const known = readings.flatMap(reading => (reading.status === 'fulfilled' ? [reading.value] : []));
  const away = readings.flatMap((reading, lane) =>
    reading.status === 'rejected' ? [{ lane, why: reading.reason }] : [],
  );
  // If no lane answers, the error says why.
  if (away[0] && known.length === 0) throw away[0].why;
  const { lane: _, is_served, ...all } = known.reduce(together);
  return {
    ...all,
    lanes: lanes.length,
    lanes_away: away.map(({ lane }) => lane),
    lanes_unserved: known.flatMap(({ lane, is_served: isServed }) => (isServed ? [] : [lane])),
  };
}

type LaneDepths = Omit<Depths, 'lanes' | 'lanes_away' | 'lanes_unserved'> & { lane: number; is_served: boolean };

function together(left: LaneDepths, right: LaneDepths): LaneDepths {
  const statuses = Object.keys(left.jobs);
  return {
    ...left,
    jobs: Object.fromEntries(statuses.map(status => [status, (left.jobs[status] ?? 0) + (right.jobs[status] ?? 0)])),
    store: left.store === 'full' ? 'full' : right.store,
    launch_paused: left.launch_paused || right.launch_paused,
    holds: { ...left.holds, ...right.holds },
    launch_waiting: left.launch_waiting + right.launch_waiting,
    due_polls: left.due_polls + right.due_polls,
    oldest_due_poll_seconds: Math.max(left.oldest_due_poll_seconds, right.oldest_due_poll_seconds),
    unsettled_responses: left.unsettled_responses + right.unsettled_responses,
    open_streams: left.open_streams + right.open_streams,
  };
}

async function depthsOf(store: Lane): Promise<LaneDepths> {
  const state = await store.probe();
  const { keys, queues } = store;
  const statuses = jobStatusSchema.options;
  const due = store.now() * DELAYED_SCORE_UNIT;
  const parked = queues.poll.toKey('delayed');
  const [jobs, waiting, scopes, waitingPolls, duePolls, oldest, unsettled, openStreams, isPaused, servants] =
    await store.ask(client =>
      Promise.all([
        Promise.all(statuses.map(status => client.zcard(keys.status(status)))),
        queues.launch.getJobCounts('waiting', 'prioritized', 'delayed'),
        client.smembers(keys.parkedScopes()),
        queues.poll.getWaitingCount(),
        client.zcount(parked, '-inf', due),
        client.zrange(parked, '0', '0', 'WITHSCORES'),
        client.zcard(keys.unsettled()),
        client.zcard(keys.streams()),
        queues.launch.isPaused(),
        servantsOf(store),
      ]),
    );
  const [held, codes] = await store.ask(client =>
    Promise.all([
      Promise.all(scopes.map(scope => client.zcard(keys.parked(scope)))),
      Promise.all(scopes.map(scope => client.hget(keys.hold(scope), 'code'))),
    ]),
  );
  const oldestDueAt = Number(oldest[1] ?? Number.POSITIVE_INFINITY) / DELAYED_SCORE_UNIT;
  return {
    lane: store.number,
    is_served: isServed(servants),
    jobs: Object.fromEntries(statuses.map((status, position) => [status, jobs[position] ?? 0])),
    store: state,
    launch_paused: isPaused,
    holds: Object.fromEntries(scopes.flatMap((scope, n) => (codes[n] ? [[scope, codes[n]]] : []))),
    launch_waiting: sum(Object.values(waiting)) + sum(held),
    due_polls: waitingPolls + duePolls,
    oldest_due_poll_seconds: Math.max(0, (store.now() - oldestDueAt) / 1000),
    unsettled_responses: unsettled,
    open_streams: openStreams,
  };
}

function sum(numbers: number[]): number {
  return numbers.reduce((left, right) => left + right, 0);
}
