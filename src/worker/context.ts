import type { Configuration } from '../shared/runtime/settings.ts';
import type { Telemetry } from '../shared/runtime/telemetry.ts';
import type { Store } from '../shared/store/store.ts';
import type { Upstream } from './answers.ts';
import type { Holding } from './holding.ts';
import type { Streams } from './streams.ts';

/** What every activation works with. */
export interface Context {
  store: Store;
  upstream: Upstream;
  configuration: Configuration;
  telemetry: Telemetry;
  /** What this process is doing at the moment, by job, so that a cancel can interrupt it. */
  holding: Holding;
  /** The streams that this process holds. */
  streams: Streams;
  /** Our random id, for the metadata pair by which an orphan is found. */
  deployment: string;
  /** Aborted when the worker is asked to stop. */
  stopping: AbortSignal;
  /** Aborted when it ends without the store: what is not written by then is told, and lost. */
  hopeless: AbortSignal;
}

/** How an activation of a queue entry ends. */
export type Activation =
  /** The entry has done its work; the word is for people who look at the queue. */
  | { kind: 'done'; summary: string }
  /** The same entry comes again. */
  | { kind: 'park'; dueInMs: number };

export const done = (summary: string): Activation => ({ kind: 'done', summary });
export const parkFor = (dueInMs: number): Activation => ({ kind: 'park', dueInMs: Math.max(0, Math.ceil(dueInMs)) });
