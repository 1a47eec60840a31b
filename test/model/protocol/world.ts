import {
  accepted,
  acknowledge,
  charge,
  decide,
  type Faults,
  intend,
  isOpen,
  type Kept,
  type Line,
  rerun,
  resolve,
  type Step,
} from './record.ts';

/** Where a worker is between two steps. What it holds there may be out of date by the time it goes on. */
type Worker =
  | { at: 'idle' }
  | { at: 'launch' }
  | { at: 'post'; epoch: number }
  | { at: 'answer'; epoch: number; response: number }
  | { at: 'poll' }
  | { at: 'result'; response: number }
  | { at: 'grace'; epoch: number }
  | { at: 'settle'; response: number }
  | { at: 'usage'; response: number };

type Holder = 'nobody' | 'waiting' | 0 | 1;

/** One job, two workers, a provider, and what may still go wrong. */
export interface World {
  kept: Kept;
  /** The queue entries: whether they wait, or which worker holds their lock. */
  entries: { [entry: string]: Holder };
  outbox: Line[];
  workers: [Worker, Worker];
  /** The workers that serve the lane. */
  serves: [boolean, boolean];
  /** What runs at the provider. `isHeard`: its id has come to a worker that lived to write it down. */
  responses: { epoch: number; status: 'running' | 'completed' | 'cancelled'; isHeard: boolean }[];
  crashes: number;
  cancels: number;
  flips: number;
  isCancelAcknowledged: boolean;
  /** A cancel that has read the job and not yet written, in a mutant. */
  isCancelHalfway: boolean;
}

export interface Rules extends Faults {
  relaunch: boolean;
  /** A POST leaves before its intent is written. */
  postsFirst?: boolean;
  /** What a script asks for is added by its caller alone, and lost with it. */
  noOutbox?: boolean;
  /** A cancel reads the job, and writes afterwards. */
  cancelsInTwoSteps?: boolean;
}

export interface Move {
  name: string;
  world: World;
}

const MOST_LAUNCHES = 2;

export const beginning: World = {
  kept: accepted,
  entries: { launch: 'waiting' },
  outbox: [],
  workers: [{ at: 'idle' }, { at: 'idle' }],
  serves: [true, false],
  responses: [],
  crashes: 2,
  cancels: 1,
  flips: 1,
  isCancelAcknowledged: false,
  isCancelHalfway: false,
};

const idle: Worker = { at: 'idle' };

function after(world: World, { kept, lines }: Pick<Step, 'kept' | 'lines'>): World {
  return { ...world, kept, outbox: [...new Set([...world.outbox, ...lines])].toSorted() };
}

function placed(world: World, n: number, worker: Worker): World {
  const workers: World['workers'] = [...world.workers];
  workers[n] = worker;
  return { ...world, workers };
}

/** The worker is done with its entry, if it still has it: it leaves the entry, or parks it. */
function released(world: World, n: number, entry: string, holder: 'nobody' | 'waiting' = 'nobody'): World {
  const mine = world.entries[entry] === n ? { [entry]: holder } : {};
  return placed({ ...world, entries: { ...world.entries, ...mine } }, n, idle);
}

/** Everything that can happen next. */
export function movesOf(world: World, rules: Rules): Move[] {
  return [...[0, 1].flatMap(n => workerMoves(world, n, rules)), ...otherMoves(world, rules)];
}

function workerMoves(world: World, n: number, rules: Rules): Move[] {
  const { kept, workers, entries, responses } = world;
  const worker = workers[n] as Worker;
  const moves: Move[] = [];
  const move = (what: string, next: World) => moves.push({ name: `worker ${n} ${what}`, world: next });
  switch (worker.at) {
    case 'idle':
      for (const [entry, holder] of Object.entries(entries))
        if (holder === 'waiting' && world.serves[n]) move(`takes ${entry}`, taken(world, n, entry));
      return moves;
    case 'launch': {
      if (kept.launches.length >= MOST_LAUNCHES && kept.status === 'queued') return moves;
      if (rules.postsFirst && kept.status === 'queued') {
        move(
          'posts',
          placed(posted(world, kept.epoch + 1), n, { at: 'answer', epoch: kept.epoch + 1, response: responses.length }),
        );
        return moves;
      }
      const intended = intend(kept, rules);
      const next = after(world, intended);
      if (intended.reply === 'intended') move('intends', placed(next, n, { at: 'post', epoch: intended.kept.epoch }));
      else if (intended.reply === 'unresolved')
        move('finds an intent', released(after(next, resolve(kept, kept.epoch)), n, 'launch'));
      else move(`finds it ${intended.reply}`, released(next, n, 'launch'));
      return moves;
    }
    case 'post':
      move(
        'posts',
        placed(posted(world, worker.epoch), n, { at: 'answer', epoch: worker.epoch, response: responses.length }),
      );
      return moves;
    case 'answer': {
      const heard = responses.map((one, number) => (number === worker.response ? { ...one, isHeard: true } : one));
      const acknowledged = acknowledge(kept, worker.epoch, worker.response, rules);
      move('acknowledges', released(after({ ...world, responses: heard }, acknowledged), n, 'launch'));
      return moves;
    }
    case 'poll': {
      const response = kept.response;
      if (kept.status === 'running' && response !== null && responses[response]?.status === 'completed')
        move('reads a result', placed(world, n, { at: 'result', response }));
      else if (kept.status === 'launching' && kept.isUnknown)
        move('sees the grace end', placed(world, n, { at: 'grace', epoch: kept.epoch }));
      else move('parks the poll', released(world, n, 'poll', isOpen(kept) ? 'waiting' : 'nobody'));
      return moves;
    }
    case 'result': {
      const decided = decide(kept, { status: 'completed', response: worker.response }, rules);
      const booked = decided.reply === 'decided' ? decided : charge(kept, worker.response);
      move('brings the result', released(after(world, { ...booked, lines: decided.lines }), n, 'poll'));
      return moves;
    }
    case 'grace': {
      const again = rerun(kept, worker.epoch, rules.relaunch && kept.launches.length < MOST_LAUNCHES);
      const given =
        again.reply === 'exhausted' || rules.noFence
          ? decide(kept, { status: 'failed', epoch: worker.epoch }, rules)
          : again;
      move('gives the launch up', released(after(world, given), n, 'poll'));
      return moves;
    }
    case 'settle': {
      const { response } = worker;
      const entry = `settle ${response}`;
      const status = responses[response]?.status;
      if (status === 'running')
        move('cancels at the provider', placed(changed(world, response, 'cancelled'), n, worker));
      else if (status === 'completed' || world.flips === 0)
        move('reads a usage', placed(world, n, { at: 'usage', response }));
      else move('parks the watch', released(world, n, entry, 'waiting'));
      return moves;
    }
    case 'usage':
      move('books a usage', released(after(world, charge(kept, worker.response)), n, `settle ${worker.response}`));
      return moves;
  }
}

function taken(world: World, n: number, entry: string): World {
  const [kind = '', response] = entry.split(' ');
  const next = { ...world, entries: { ...world.entries, [entry]: n as 0 | 1 } };
  if (kind === 'settle') return placed(next, n, { at: 'settle', response: Number(response) });
  return placed(next, n, { at: kind as 'launch' | 'poll' });
}

function posted(world: World, epoch: number): World {
  return { ...world, responses: [...world.responses, { epoch, status: 'running', isHeard: false }] };
}

function changed(world: World, response: number, status: 'completed' | 'cancelled'): World {
  return { ...world, responses: world.responses.map((one, n) => (n === response ? { ...one, status } : one)) };
}

function otherMoves(world: World, rules: Rules): Move[] {
  const { kept, entries, outbox, responses, workers } = world;
  const moves: Move[] = [];
  for (const line of outbox)
    if (entries[line] === undefined || entries[line] === 'nobody' || entries[line] === 'waiting')
      moves.push({
        name: `${line} is added`,
        world: { ...world, outbox: outbox.filter(one => one !== line), entries: { ...entries, [line]: 'waiting' } },
      });
  for (const [n, state] of kept.launches.entries())
    if (state === 'intended' && typeof entries.launch !== 'number')
      moves.push({ name: `intent ${n + 1} is swept`, world: after(world, resolve(kept, n + 1)) });
  for (const [n, { status }] of responses.entries()) {
    if (status === 'running') moves.push({ name: `response ${n} ends`, world: changed(world, n, 'completed') });
    if (status === 'cancelled' && world.flips > 0)
      moves.push({ name: `response ${n} flips`, world: { ...changed(world, n, 'completed'), flips: world.flips - 1 } });
  }
  if (world.flips > 0 && responses.some(({ status }) => status === 'cancelled'))
    moves.push({ name: 'nothing flips', world: { ...world, flips: 0 } });
  moves.push(...cancelMoves(world, rules));
  for (const n of [0, 1]) {
    if (!world.serves[n])
      moves.push({ name: `worker ${n} takes the lane over`, world: { ...world, serves: [true, true] } });
    if (world.crashes > 0 && workers[n]?.at !== 'idle') {
      const freed = Object.fromEntries(
        Object.entries(entries).map(([entry, holder]) => [entry, holder === n ? ('waiting' as const) : holder]),
      );
      const struck = { ...world, crashes: world.crashes - 1, entries: freed };
      moves.push({ name: `worker ${n} is frozen, and its lock runs out`, world: struck });
      const dead = placed(struck, n, idle);
      moves.push({ name: `worker ${n} dies`, world: rules.noOutbox ? { ...dead, outbox: [] } : dead });
    }
  }
  return moves;
}

function cancelMoves(world: World, rules: Rules): Move[] {
  if (world.isCancelHalfway) {
    const written = after(
      world,
      decide(
        { ...world.kept, status: isOpen(world.kept) ? world.kept.status : 'queued' },
        { status: 'cancelled' },
        rules,
      ),
    );
    return [
      { name: 'the cancel is written', world: { ...written, isCancelHalfway: false, isCancelAcknowledged: true } },
    ];
  }
  if (world.cancels === 0) return [];
  const asked = { ...world, cancels: world.cancels - 1 };
  if (rules.cancelsInTwoSteps)
    return isOpen(world.kept) ? [{ name: 'a cancel reads the job', world: { ...asked, isCancelHalfway: true } }] : [];
  const decided = decide(world.kept, { status: 'cancelled' }, rules);
  return [
    {
      name: `a cancel is ${decided.reply}`,
      world: { ...after(asked, decided), isCancelAcknowledged: decided.reply === 'decided' },
    },
  ];
}
