import type { Depths } from '../contract/depths.ts';
import { jobStatusSchema } from '../contract/words.ts';
import { DELAYED_SCORE_UNIT } from './lua/work.ts';
import type { Store } from './store.ts';

/** How much waits where. A scrape costs about a dozen reads of one number each. */
export async function readDepths(store: Store): Promise<Depths> {
  const state = await store.probe();
  const { keys, queues } = store;
  const statuses = jobStatusSchema.options;
  const due = store.now() * DELAYED_SCORE_UNIT;
  const parked = queues.poll.toKey('delayed');
  const [jobs, waiting, scopes, waitingPolls, duePolls, oldest, unsettled, openStreams, isPaused] = await store.ask(
    client =>
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
