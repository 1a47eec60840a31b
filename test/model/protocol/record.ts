/** What the scripts keep of one job, and nothing else. A test ties these functions to the Lua. */
export interface Kept {
  status: 'queued' | 'launching' | 'running' | 'completed' | 'failed' | 'cancelled';
  /** Of the newest intent; 0 before the first. */
  epoch: number;
  /** True while nobody knows what became of the newest launch. */
  isUnknown: boolean;
  /** The response of the newest launch, by its number. */
  response: number | null;
  /** By epoch, from 1. */
  launches: ('intended' | 'acknowledged' | 'unknown')[];
  /** The ledger, by the responses' numbers. A row without a kind belongs to a job that runs. */
  rows: { [response: number]: { kind: 'used' | 'wasted' | null; isFinal: boolean } };
}

/** Faults that a mutant has. The product has none. */
export interface Faults {
  /** Giving up a launch does not ask whether it is still the newest. */
  noFence?: boolean;
  /** A launch that nobody knows the end of is no reason against another. */
  launchesAgain?: boolean;
  /** A result that comes after another outcome replaces it. */
  lateResultWins?: boolean;
  /** An id that comes too late is refused. */
  refusesLateIds?: boolean;
  /** A response that nobody wants is not followed. */
  settlesNothing?: boolean;
}

/** Queue entries that a script asks for. */
export type Line = 'launch' | 'poll' | `settle ${number}`;

export interface Step {
  reply: string;
  kept: Kept;
  lines: Line[];
}

export const accepted: Kept = {
  status: 'queued',
  epoch: 0,
  isUnknown: false,
  response: null,
  launches: [],
  rows: {},
};

export const isOpen = ({ status }: Kept) => status === 'queued' || status === 'launching' || status === 'running';
const nothing = (reply: string, kept: Kept): Step => ({ reply, kept, lines: [] });

function withLaunch(kept: Kept, epoch: number, state: Kept['launches'][number]): Kept {
  return { ...kept, launches: kept.launches.map((known, n) => (n + 1 === epoch ? state : known)) };
}

/** Before a POST (I4). */
export function intend(kept: Kept, faults: Faults): Step {
  const last = kept.launches.at(-1);
  if (!isOpen(kept)) return nothing('final', last === 'intended' ? withLaunch(kept, kept.epoch, 'unknown') : kept);
  if (kept.status === 'running') return nothing('running', kept);
  if (kept.status === 'launching' && !faults.launchesAgain) return nothing('unresolved', kept);
  const epoch = kept.epoch + 1;
  const launches = [...kept.launches, 'intended' as const];
  return nothing('intended', { ...kept, status: 'launching', epoch, isUnknown: false, launches });
}

/** A launch without an answer, whose worker is gone or whose call failed. */
export function resolve(kept: Kept, epoch: number): Step {
  const noted = kept.launches[epoch - 1] === 'intended' ? withLaunch(kept, epoch, 'unknown') : kept;
  if (kept.status !== 'launching' || kept.epoch !== epoch || kept.isUnknown) return nothing('stale', noted);
  return { reply: 'unknown', kept: { ...noted, isUnknown: true }, lines: ['poll'] };
}

/** An id, from whoever brings it and however late (I3, I7). */
export function acknowledge(kept: Kept, epoch: number, response: number, faults: Faults): Step {
  if (kept.status === 'running' && kept.response === response) return nothing('running', kept);
  const isWanted = (kept.status === 'launching' || kept.status === 'queued') && kept.epoch === epoch;
  if (!isWanted && faults.refusesLateIds) return nothing('stale', kept);
  const known = withLaunch(kept, epoch, 'acknowledged');
  const row = kept.rows[response] ?? { kind: null, isFinal: false };
  if (isWanted) {
    const rows = { ...kept.rows, [response]: row };
    return {
      reply: 'running',
      kept: { ...known, status: 'running', isUnknown: false, response, rows },
      lines: ['poll'],
    };
  }
  return unwant('unwanted', known, response, faults);
}

function unwant(reply: string, kept: Kept, response: number, faults: Faults): Step {
  const row = kept.rows[response] ?? { kind: null, isFinal: false };
  const rows = { ...kept.rows, [response]: { ...row, kind: row.kind ?? ('wasted' as const) } };
  return { reply, kept: { ...kept, rows }, lines: faults.settlesNothing || row.isFinal ? [] : [`settle ${response}`] };
}

/** An unknown launch whose grace is over, if the job chose `relaunch` (I6). */
export function rerun(kept: Kept, epoch: number, mayRelaunch: boolean): Step {
  if (kept.status !== 'launching' || kept.epoch !== epoch || !kept.isUnknown) return nothing('stale', kept);
  if (!mayRelaunch) return nothing('exhausted', kept);
  return { reply: 'queued', kept: { ...kept, status: 'queued', isUnknown: false, response: null }, lines: ['launch'] };
}

export interface Wish {
  status: 'completed' | 'failed' | 'cancelled';
  response?: number;
  epoch?: number;
}

/** The one outcome (I1, I2). */
export function decide(kept: Kept, { status, response, epoch }: Wish, faults: Faults): Step {
  const isLateResult = faults.lateResultWins && status === 'completed';
  if (!isOpen(kept) && !isLateResult) return nothing('already', kept);
  if (response !== undefined && response !== kept.response) return nothing('stale', kept);
  const isStale = kept.status !== 'launching' || kept.epoch !== epoch;
  if (epoch !== undefined && isStale && !faults.noFence) return nothing('stale', kept);
  const ended = { ...kept, status };
  if (kept.response === null) return nothing('decided', ended);
  if (status !== 'completed') return unwant('decided', ended, kept.response, faults);
  const row = kept.rows[kept.response];
  const rows = { ...kept.rows, [kept.response]: { kind: row?.kind ?? ('used' as const), isFinal: true } };
  return nothing('decided', { ...ended, rows });
}

/** A usage that became known (I8). */
export function charge(kept: Kept, response: number): Step {
  const row = kept.rows[response];
  if (!row) return nothing('missing', kept);
  return nothing('charged', { ...kept, rows: { ...kept.rows, [response]: { ...row, isFinal: true } } });
}
