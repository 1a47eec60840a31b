import type { Telemetry } from '../shared/runtime/telemetry.ts';
import type { Lane } from '../shared/store/lane.ts';

const advice = 'The store answers but does not write. Check its memory, disk, replicas and role.';

/** Logs one line when lanes begin to refuse writes and one when none does any more, however many lanes this process serves. */
export class Refusals {
  private readonly telemetry: Telemetry;
  private readonly words = new Map<Lane, Iterable<string>>();
  private told = '';

  constructor(telemetry: Telemetry) {
    this.telemetry = telemetry;
  }

  /** Notes the words with which a lane refuses writes now; none if it takes them. */
  note(lane: Lane, words: Iterable<string>): void {
    this.words.set(lane, words);
    const all = [...new Set([...this.words.values()].flatMap(one => [...one]))].sort().join(', ');
    if (all === this.told) return;
    this.told = all;
    if (all === '') this.telemetry.emit('store_writes', {});
    else this.telemetry.emit('store_refuses', { code: all, advice });
  }
}
