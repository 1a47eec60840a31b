import { randomBytes } from 'node:crypto';
import type { Script } from './script.ts';
import type { Wishes } from './wishes.ts';

export interface CreateRequest {
  model: string;
  input: unknown;
  instructions: string | null;
  metadata: Record<string, string>;
  previousResponseId: string | null;
  /** The tools and the structured output that were asked for. */
  wishes: Wishes;
  /** The texts of the earlier responses that this one continues, through its predecessor or through items in its input. */
  recalled: string[];
  /** The options as they were sent. A cheaper run may wait in the provider's queue. */
  backgroundOptions: Record<string, unknown> | null;
  /** The largest number of output tokens of an unscripted run. Infinite if the request sets no bound. */
  maxOutputTokens: number;
}

export interface SimulatedResponseOptions {
  request: CreateRequest;
  script: Script;
  speed: number;
  /** Milliseconds since 1970. */
  now: () => number;
}

export type Status = 'queued' | 'in_progress' | 'completed' | 'incomplete' | 'failed' | 'cancelled';

export interface Usage {
  input_tokens: number;
  input_tokens_details: { cached_tokens: number; cache_write_tokens: number };
  output_tokens: number;
  output_tokens_details: { reasoning_tokens: number };
  total_tokens: number;
}

const QUEUED_MS = 300;
const LEAST_DURATION_MS = 2000;
const MORE_DURATION_MS = 3000;
const CHARACTERS_PER_TOKEN = 4;

/** One response. Its state is a function of time, so there are no timers. */
export class SimulatedResponse {
  readonly id: string;
  readonly request: CreateRequest;
  readonly script: Script;
  readonly createdAt: number;
  readonly billed: Usage;
  reads = 0;
  cancels = 0;
  cancelledAt: number | undefined;
  /** The last usage that a body has shown. */
  shownUsage: Usage | null = null;
  /** The number of streams that are still going to break. */
  streamsToDrop: number;
  /** The number of streams that were opened after the first. */
  replays = 0;
  private endedAt: number | undefined;
  private readonly durationMs: number;
  readonly speed: number;
  private readonly now: () => number;

  constructor({ request, script, speed, now }: SimulatedResponseOptions) {
    this.request = request;
    const id = `resp_${randomBytes(24).toString('hex')}`;
    // Each of these characters has a meaning in a URL, a key or a queue.
    this.id = script.id_length === undefined ? id : `${id}+/=%:|. é`.padEnd(script.id_length, 'x');
    this.script = script;
    this.streamsToDrop = script.drop_after === undefined ? 0 : script.drops;
    this.speed = speed;
    this.now = now;
    this.createdAt = now();
    const input = script.input_tokens ?? Math.ceil(JSON.stringify(request.input).length / CHARACTERS_PER_TOKEN) + 8;
    const output = script.output_tokens ?? Math.min(200 + randomBelow(1800), request.maxOutputTokens);
    this.billed = {
      input_tokens: input,
      input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: Math.floor(output / 4) },
      total_tokens: input + output,
    };
    this.durationMs = (script.duration_ms ?? LEAST_DURATION_MS + randomBelow(MORE_DURATION_MS)) / speed;
  }

  get time(): number {
    return this.now();
  }

  /** The time at which it leaves the provider's queue. */
  get startsAt(): number {
    return this.createdAt + QUEUED_MS / this.speed;
  }

  /** The time at which it ends unless it is cancelled. */
  get naturalEnd(): number {
    return Math.max(this.createdAt + this.durationMs, this.startsAt);
  }

  private get endsAt(): number {
    if (this.script.stuck) return Number.POSITIVE_INFINITY;
    if (this.endedAt !== undefined) return this.endedAt;
    const natural = this.createdAt + this.durationMs;
    if (this.cancelledAt === undefined) return natural;
    return Math.max(natural, this.cancelledAt + this.script.flip_after_ms / this.speed);
  }

  get status(): Status {
    return this.statusAt(this.now());
  }

  /** The usage that a body shows now, which is also what the provider charges. Null if it cannot be known. */
  get usage(): Usage | null {
    return this.seen.usage;
  }

  /** Both at one moment. Asked for one after the other, they could be of two, and a body would contradict itself. */
  get seen(): { status: Status; usage: Usage | null } {
    const now = this.now();
    const status = this.statusAt(now);
    return { status, usage: this.usageAt(now, status) };
  }

  private statusAt(now: number): Status {
    const { foreground } = this.script;
    if (foreground) return foreground === 'requires_action' ? 'completed' : foreground;
    if (this.cancelledAt !== undefined && (this.script.cancel === 'honour' || now < this.endsAt)) return 'cancelled';
    if (now >= this.endsAt) return this.script.end === 'rate_limited' ? 'failed' : this.script.end;
    return now < this.createdAt + QUEUED_MS / this.speed ? 'queued' : 'in_progress';
  }

  private usageAt(now: number, status: Status): Usage | null {
    const { script } = this;
    if (script.foreground) return this.billed;
    if (!script.usage || script.end === 'rate_limited') return null;
    if (status !== 'completed' && status !== 'incomplete' && status !== 'failed') return null;
    return now >= this.endsAt + script.usage_after_ms / this.speed ? this.billed : null;
  }

  /** Returns false if it is too late to cancel. */
  cancel(): boolean {
    this.cancels += 1;
    if (this.cancelledAt !== undefined) return true;
    if (this.script.cancel === 'too_late') this.endedAt ??= this.now();
    if (this.status !== 'queued' && this.status !== 'in_progress') return false;
    this.cancelledAt = this.now();
    return true;
  }
}

function randomBelow(bound: number): number {
  return Math.floor(Math.random() * bound);
}
