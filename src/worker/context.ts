import type { Upstream } from '../provider/answers.ts';
import type { Configuration } from '../shared/runtime/settings.ts';
import type { Telemetry } from '../shared/runtime/telemetry.ts';
import type { Lane } from '../shared/store/lane.ts';
import type { JobRecord } from '../shared/store/record.ts';
import type { Store } from '../shared/store/store.ts';
import type { InFlight } from './in-flight.ts';
import type { Pace } from './pace.ts';
import type { Refusals } from './refusals.ts';
import type { StreamSlots } from './stream-slots.ts';

/** What every activation works with. */
export interface Context {
  /** The lane that the activation is for. */
  store: Lane;
  /** All lanes of the deployment. */
  lanes: Store;
  upstream: Upstream;
  configuration: Configuration;
  telemetry: Telemetry;
  /** What this process is doing now, by job, so that a cancel can interrupt it. */
  inFlight: InFlight;
  /** The streams that this process follows. */
  streams: StreamSlots;
  refusals: Refusals;
  pace: Pace;
  /** The deployment's random id. It marks each create, so that an orphan can be found. */
  deployment: string;
  /** Aborted when the worker is asked to stop. */
  stopping: AbortSignal;
  /** Aborted when the worker ends while the store is away. What is not written by then is reported and lost. */
  hopeless: AbortSignal;
}

/** What an activation may do with its entry while it runs. */
export interface Taken {
  /**
   * The worker's lock on it, with which the step that does its work can end it (docs/decisions/0034). An entry that has stalled
   * before has none here, because its crashes have to be forgiven before it ends.
   */
  lock?: string;
  /** The job's record, as it was when the entry was taken. Only a poll has one. */
  record?: JobRecord | undefined;
  /** Says that the activation only waits for a slot, so that a crash then is not the entry's fault. */
  waiting(): Promise<void>;
}

/** How an activation of a queue entry ends. */
export type Activation =
  /** The entry has done its work. The summary is for people who read the queue. */
  | { kind: 'done'; summary: string }
  /** The step that did its work has ended the entry too. */
  | { kind: 'ended' }
  /** The same entry comes again. */
  | { kind: 'park'; dueInMs: number };

export const done = (summary: string): Activation => ({ kind: 'done', summary });
export const parkFor = (dueInMs: number): Activation => ({ kind: 'park', dueInMs: Math.max(0, Math.ceil(dueInMs)) });
