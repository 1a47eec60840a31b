import type { Job } from '../contract/job.ts';
import { isOutcome } from '../contract/words.ts';

export type Phase = 'queued' | 'launching' | 'running' | 'watched';

export interface PhaseSpan {
  phase: Phase;
  ms: number;
}

/** Where an entry of the timeline leads to; null is the end. */
const leadsTo: Record<string, Phase | null> = {
  enqueued: 'queued',
  adopted: 'running',
  launching: 'launching',
  launch_acknowledged: 'running',
  launched: 'running',
  launch_refused: 'queued',
  rerun: 'queued',
  queued_again: 'queued',
  settled: null,
};

/** How long a job was in which phase, in order. `watched` is the time after its end until the tokens of its last response are known. */
export function phasesOf(
  { timeline, ledger, created_at }: Pick<Job, 'timeline' | 'ledger' | 'created_at'>,
  now: number,
): PhaseSpan[] {
  const spans: PhaseSpan[] = [];
  const isWatched = ledger.some(({ kind }) => kind === 'wasted');
  let phase = 'queued' as Phase | null;
  let since = created_at;
  const enter = (next: Phase | null, at: number) => {
    if (phase === next) return;
    if (phase !== null && at > since) add(spans, phase, at - since);
    phase = next;
    since = at;
  };
  for (const { event, at } of timeline) {
    if (isOutcome(event)) enter(isWatched ? 'watched' : null, at);
    // What comes after the outcome changes nothing but the end of the watch.
    else if (phase !== 'watched' ? event in leadsTo && phase !== null : event === 'settled')
      enter(leadsTo[event] ?? null, at);
  }
  if (phase !== null && now > since) add(spans, phase, now - since);
  return spans;
}

function add(spans: PhaseSpan[], phase: Phase, ms: number): void {
  const last = spans.at(-1);
  if (last?.phase === phase) last.ms += ms;
  else spans.push({ phase, ms });
}
