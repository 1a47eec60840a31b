import type { Job } from '../contract/job.ts';
import { isOutcome } from '../contract/words.ts';

export type Phase = 'queued' | 'launching' | 'running' | 'watched';

export interface PhaseSpan {
  phase: Phase;
  ms: number;
}

/** The phase that an entry of the timeline begins, until the job has its outcome. */
const begins: Record<string, Phase> = {
  adopted: 'running',
  launching: 'launching',
  launch_acknowledged: 'running',
  launch_refused: 'queued',
  rerun: 'queued',
  // The version before wrote these words.
  launched: 'running',
  queued_again: 'queued',
};

/** How long a job was in which phase, in order. `watched` is the time after its end until the tokens of its responses are known. */
export function phasesOf(
  { timeline, ledger, created_at }: Pick<Job, 'timeline' | 'ledger' | 'created_at'>,
  now: number,
): PhaseSpan[] {
  const spans: PhaseSpan[] = [];
  let phase: Phase = 'queued';
  let since = created_at;
  for (const { event, at } of timeline) {
    const next = Object.hasOwn(begins, event) ? begins[event] : undefined;
    if (next === undefined && !isOutcome(event)) continue;
    add(spans, phase, at - since);
    since = at;
    if (next === undefined) return [...spans, ...watched(timeline, ledger, at, now)];
    phase = next;
  }
  add(spans, phase, now - since);
  return spans;
}

function watched(timeline: Job['timeline'], ledger: Job['ledger'], endedAt: number, now: number): PhaseSpan[] {
  if (!ledger.some(({ kind }) => kind === 'wasted')) return [];
  const isWatched = ledger.some(({ kind, status }) => kind === 'wasted' && status === 'pending');
  const settledAt = timeline.findLast(({ event }) => event === 'settled')?.at ?? endedAt;
  const ms = (isWatched ? now : settledAt) - endedAt;
  return ms > 0 ? [{ phase: 'watched', ms }] : [];
}

function add(spans: PhaseSpan[], phase: Phase, ms: number): void {
  if (ms <= 0) return;
  const last = spans.at(-1);
  if (last?.phase === phase) last.ms += ms;
  else spans.push({ phase, ms });
}
