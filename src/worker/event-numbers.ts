import type { UpstreamEvent } from '../shared/contract/stream.ts';

/**
 * Where an event belongs: its number for readers, `heard` if it came before, or `lost` if nobody can tell. After a lost event
 * the rest of the response is taken from its result.
 */
export type Place = number | 'heard' | 'lost';

/** How many events are remembered, so that they are known when they come again. */
const MOST_REMEMBERED = 20_000;

/**
 * Numbers the events of one run, each once and in the order in which they came. The provider's numbers are used while they
 * grow. Some gateways leave them out, always send 0, or begin again after a reconnect. Then the worker counts the events, and
 * such a stream cannot be resumed, because nobody knows where it would continue.
 */
export class EventNumbers {
  /** The last number that was given. */
  last: number;
  /** False once the provider's numbers were of no use. */
  areTheirs: boolean;
  /** False once a number was left out. Then an event may be missing, and the result fills the gap. */
  isWhole = true;
  /** The number of this run's first event. The events of the job's earlier runs come before it. */
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

  /** The provider's number after which to resume; -1 from the beginning, null if its numbers are of no use. */
  get resumeAfter(): number | null {
    if (this.last < this.base) return -1;
    return this.areTheirs ? this.last - this.base : null;
  }

  /** A new connection sends the events of the same run. */
  reconnect(): void {
    this.isFirst = true;
    this.isResumed = this.last >= this.base;
    this.isReplay = false;
    this.lastOfConnection = Number.NEGATIVE_INFINITY;
  }

  /** Counts a sign of life that has a number. Readers are not shown it. */
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
      // A stream that begins again opens with `response.created`. Any other has to continue exactly where it broke.
      if (this.isReplay ? type !== 'response.created' : theirs !== this.last + 1) return 'lost';
    }
    this.isFirst = false;
    if (theirs !== undefined && theirs > this.lastOfConnection && this.areTheirs) {
      this.lastOfConnection = theirs;
      if (theirs > this.last) return this.give(theirs, event);
      // The same number has to mean the same event. If it does not, the numbers began again.
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
