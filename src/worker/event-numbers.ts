import type { UpstreamEvent } from '../shared/contract/stream.ts';

/**
 * Where an event belongs: its number towards readers, `heard` where it comes again, or `lost` where nobody can tell, and
 * then the rest of the response is taken from its result.
 */
export type Place = number | 'heard' | 'lost';

/** What was heard is remembered up to here, to know it when it comes again. */
const MOST_REMEMBERED = 20_000;

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
  /** False once a number was left out: then something may be missing, and the result says what. */
  isWhole = true;
  /** Events of earlier runs of the job come before this one's. */
  private readonly base: number;
  private readonly known = new Map<number, string>();
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

  /** A sign of life has a number too, and nobody is shown it. */
  skip({ sequence_number: given }: UpstreamEvent): void {
    if (given !== undefined && this.areTheirs && given + this.base === this.last + 1) {
      this.last += 1;
      this.lastOfConnection = this.last;
    }
  }

  place(event: UpstreamEvent): Place {
    const { type, sequence_number: given } = event;
    const theirs = given === undefined ? undefined : given + this.base;
    if (this.isFirst && this.isResumed) {
      if (theirs === undefined || !this.areTheirs) return 'lost';
      this.isReplay = theirs <= this.last;
      // A stream that is told from its beginning says so; else it goes on just where it broke off.
      if (this.isReplay ? type !== 'response.created' : theirs !== this.last + 1) return 'lost';
    }
    this.isFirst = false;
    if (theirs !== undefined && theirs > this.lastOfConnection && this.areTheirs) {
      this.lastOfConnection = theirs;
      if (theirs > this.last) return this.give(theirs, event);
      // The same number must mean the same event, or the numbers began again with others.
      if (this.isReplay) return this.known.get(theirs) === textOf(event) ? 'heard' : 'lost';
    } else if (this.isReplay && this.lastOfConnection <= this.last) return 'lost';
    this.areTheirs = false;
    return this.give(this.last + 1, event);
  }

  private give(number: number, event: UpstreamEvent): number {
    if (number !== this.last + 1 && this.last >= this.base) this.isWhole = false;
    this.last = number;
    if (this.known.size < MOST_REMEMBERED) this.known.set(number, textOf(event));
    return number;
  }
}

function textOf({ type, delta, item_id }: UpstreamEvent): string {
  return JSON.stringify([type, delta, item_id]);
}
