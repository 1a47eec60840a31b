import type { LogLine } from '../../../src/cli/processes/children.ts';
import type { Member } from './fleet.ts';

/** What must have happened often enough, or the run has shown nothing. */
export const caseNames = [
  'cancel won',
  'completion won',
  'late flip',
  'zombie write refused',
  'unknown launch',
  'lane taken over',
  're-send joined',
] as const;
type CaseName = (typeof caseNames)[number];

/** Counts them, from what processes log and what Redis answers. */
export class Cases {
  readonly counts: Record<CaseName, number> = Object.fromEntries(caseNames.map(name => [name, 0])) as Record<
    CaseName,
    number
  >;

  add(name: CaseName, count = 1): void {
    this.counts[name] += count;
  }

  readonly logged = ({ event }: LogLine): void => {
    if (event === 'launch_unknown') this.add('unknown launch');
    if (event === 'lane_taken_over') this.add('lane taken over');
    if (event === 'late_result_dropped') this.add('late flip');
  };

  /** A worker that was stopped and woken, and what Redis said to a write that it had begun before. */
  readonly answered = ({ kind, isZombie }: Member, script: string, answer: unknown): void => {
    const reply = replyIn(answer);
    if (script === 'resend' && reply === 'again') this.add('re-send joined');
    if (kind === 'worker' && isZombie && (reply === 'stale' || reply === 'already' || reply === 'unwanted'))
      this.add('zombie write refused');
  };
}

function replyIn(answer: unknown): string | undefined {
  const text = String(Array.isArray(answer) ? answer[0] : answer);
  return /^\{.*"reply":"(\w+)"/.exec(text)?.[1];
}
