import type { UpstreamEvent } from '../shared/contract/stream.ts';

/**
 * Where an event belongs: its number towards readers, `heard` where it comes again, or `lost` where nobody can tell, and
 * then the rest of the response is taken from its result.
 */
export type Place = number | 'heard' | 'lost';

/**
 * Numbers the events of one run, each once and in the order in which they came. The provider's numbers are used for as long
 * as they grow. Gateways leave them out, say 0 always, or begin again after a reconnect, and then ours take their place;
 * such a stream cannot be resumed, because nobody knows where it goes on.
 */
export class EventNumbers {
  /** The last number that was given. */
  last: number;
  /** False once the provider's numbers were of no use. */
  areTheirs: boolean;
  /** Events of earlier runs of the job come before this one's. */
  private readonly base: number;
  private isFirst = true;
  private isResumed: boolean;
  private isReplay = false;
  private lastOfConnection = Number.NEGATIVE_INFINITY;

  constructor({ base, last, areTheirs }: { base: number; last: number; areTheirs: boolean }) {
    this.base = base;
    this.last = last;
    this.areTheirs = areTheirs;
    this.isResumed = last >= base;
  }

  /** What to ask the provider for: the events after this number of theirs. Null where its numbers say nothing. */
  get resumeAfter(): number | null {
    if (this.last < this.base) return -1;
    return this.areTheirs ? this.last - this.base : null;
  }

  /** Another connection tells the same run. */
  reconnect(): void {
    this.isFirst = true;
    this.isResumed = this.last >= this.base;
    this.isReplay = false;
    this.lastOfConnection = Number.NEGATIVE_INFINITY;
  }

  place({ type, sequence_number: given }: UpstreamEvent): Place {
    const theirs = given === undefined ? undefined : given + this.base;
    if (this.isFirst && this.isResumed) {
      if (theirs === undefined || !this.areTheirs) return 'lost';
      this.isReplay = theirs <= this.last;
      // A stream that is told from its beginning says so; else its numbers began again in the middle.
      if (this.isReplay && type !== 'response.created') return 'lost';
    }
    this.isFirst = false;
    if (theirs !== undefined && theirs > this.lastOfConnection && this.areTheirs) {
      this.lastOfConnection = theirs;
      if (theirs > this.last) {
        this.last = theirs;
        return theirs;
      }
      if (this.isReplay) return 'heard';
    } else if (this.isReplay && this.lastOfConnection <= this.last) return 'lost';
    this.areTheirs = false;
    this.last += 1;
    return this.last;
  }
}
