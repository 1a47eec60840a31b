import { setTimeout as sleep } from 'node:timers/promises';
import type { Lane } from '../shared/store/lane.ts';
import { hasOwnLane } from '../shared/store/lanes/plan.ts';
import type { AcceptArguments } from '../shared/store/lua/accept.ts';
import type { ReplyOf } from '../shared/store/scripts.ts';
import type { Store } from '../shared/store/store.ts';

interface Call {
  given: AcceptArguments;
  body: string;
}

type Reply = ReplyOf<'accept'> | Error;

const RETRY_MS = 100;
const TRIES = 30;
/** After this many tries, the raise that closed a fence is taken for dead. */
const PATIENT_TRIES = 15;

/**
 * Accepts jobs, those of each lane in one round trip, and returns the replies in their order. While the number of lanes is
 * raised, an id waits until it is known where it belongs. One that was made by the old number is refused in the end, because the
 * same caller would make another one now.
 */
export async function acceptAll(store: Store, calls: Call[]): Promise<Reply[]> {
  const replies = await acceptOnce(store, calls);
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const misplaced = calls.filter((_, position) => isMisplaced(replies[position]));
    if (misplaced.length === 0) break;
    await sleep(RETRY_MS);
    // Whatever fails here fails these jobs only: the replies of the others must reach the caller.
    if (attempt === PATIENT_TRIES) await store.openFences().catch(() => {});
    const { count } = await store.learnPlan().catch(() => store.currentPlan());
    for (const { given } of misplaced) if (!hasOwnLane(given.id)) given.lanes = count;
    const again = await acceptOnce(store, misplaced).catch((error: Error) => misplaced.map(() => error));
    for (const [position, call] of misplaced.entries()) replies[calls.indexOf(call)] = again[position] as Reply;
  }
  return replies;
}

function isMisplaced(reply: Reply | undefined): boolean {
  return reply !== undefined && !(reply instanceof Error) && reply.reply === 'misplaced';
}

async function acceptOnce(store: Store, calls: Call[]): Promise<Reply[]> {
  const places = await store.lanesOf(calls.map(({ given }) => given.id));
  const [only, ...others] = new Set(places);
  if (only && others.length === 0) return await acceptIn(only, calls);
  const byLane = new Map<Lane, Call[]>();
  for (const [position, call] of calls.entries()) {
    const lane = places[position] as Lane;
    const others = byLane.get(lane);
    if (others) others.push(call);
    else byLane.set(lane, [call]);
  }
  const replies = new Map<Call, Reply>();
  const lanes = [...byLane];
  const settled = await Promise.allSettled(lanes.map(([lane, own]) => acceptIn(lane, own)));
  const failures = settled.flatMap(one => (one.status === 'rejected' ? [one.reason as Error] : []));
  // If no lane answers, nothing was accepted, and that is the caller's error. Otherwise it is the answer of those jobs.
  if (failures[0] && failures.length === settled.length) throw failures[0];
  for (const [position, [, own]] of lanes.entries()) {
    const answers = settled[position] as PromiseSettledResult<Reply[]>;
    for (const [place, call] of own.entries())
      replies.set(call, answers.status === 'rejected' ? answers.reason : (answers.value[place] as Reply));
  }
  return calls.map(call => replies.get(call) as Reply);
}

async function acceptIn(lane: Lane, calls: Call[]): Promise<Reply[]> {
  const answers = await lane.runMany('accept', calls);
  // The jobs are accepted whatever becomes of these entries: they are in the outbox, and a worker's sweeper adds them (I5).
  await lane.outbox.carryOutQuietly(
    answers.flatMap(answer => (!(answer instanceof Error) && answer.reply === 'accepted' ? answer.work : [])),
  );
  return answers;
}
