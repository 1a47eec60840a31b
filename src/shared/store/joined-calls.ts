import type { RedisClient } from './connection/client.ts';
import { commandName, type RunCommand, type ScriptAnswer, type ScriptName } from './scripts.ts';

/** A script as one lane calls it. */
export interface LaneScript {
  name: ScriptName;
  prefix: string;
  /** A key that is never written (see `Script`). */
  never: string;
  settings: string;
  /** True if one call works on many jobs, and is a command of its own. */
  isLong: boolean;
}

interface Call {
  /** JSON. */
  given: string;
  body: string;
  resolve(answer: ScriptAnswer): void;
  reject(error: unknown): void;
}

/** Redis does nothing else meanwhile, and this many take it about a millisecond. */
const MOST_CALLS = 25;
const MOST_BYTES = 1_000_000;

/**
 * Sends the first call of a turn of the event loop at once, and joins the others of that turn at its end: those of one script
 * and lane are one command. Redis spends as long on running a script's text as on an ordinary step of it, and so it runs the text
 * once for all of them (docs/decisions/0035).
 */
export class JoinedCalls {
  private readonly client: RedisClient;
  /** What waits for the end of the turn, by script and lane; undefined before the turn's first call. */
  private waiting: Map<string, { script: LaneScript; calls: Call[] }> | undefined;

  constructor(client: RedisClient) {
    this.client = client;
  }

  /** Rejects with the error of this call alone, or with that of the whole command. */
  send(script: LaneScript, given: string, body: string): Promise<ScriptAnswer> {
    return new Promise((resolve, reject) => {
      const call = { given, body, resolve, reject };
      if (script.isLong) return this.command(script, [call]);
      if (this.waiting) return this.join(this.waiting, script, call);
      this.waiting = new Map();
      // It comes before the end of the turn of `joinWrites`, which begins with the next line.
      setImmediate(() => this.endTurn());
      this.command(script, [call]);
    });
  }

  private join(waiting: NonNullable<typeof this.waiting>, script: LaneScript, call: Call): void {
    const place = `${script.name} ${script.prefix}`;
    const known = waiting.get(place);
    if (known) known.calls.push(call);
    else waiting.set(place, { script, calls: [call] });
  }

  private endTurn(): void {
    const { waiting = [] } = this;
    this.waiting = undefined;
    for (const [, { script, calls }] of waiting) for (const some of portionsOf(calls)) this.command(script, some);
  }

  private command({ name, prefix, never, settings }: LaneScript, calls: Call[]): void {
    const run = (this.client as unknown as Record<string, RunCommand>)[commandName(name)] as RunCommand;
    const texts = calls.flatMap(({ given, body }) => [given, body]);
    run.call(this.client, prefix, never, settings, ...texts).then(
      answers => {
        for (const [place, { resolve, reject }] of calls.entries()) {
          const answer = answers[place];
          if (answer === undefined || answer instanceof Error)
            reject(answer ?? new Error('A script answers each call.'));
          else resolve(answer);
        }
      },
      (error: unknown) => {
        for (const { reject } of calls) reject(error);
      },
    );
  }
}

function portionsOf(calls: Call[]): Call[][] {
  const portions: Call[][] = [];
  let bytes = MOST_BYTES;
  for (const call of calls) {
    const portion = portions.at(-1);
    bytes += call.given.length + call.body.length;
    if (portion && portion.length < MOST_CALLS && bytes <= MOST_BYTES) portion.push(call);
    else {
      portions.push([call]);
      bytes = call.given.length + call.body.length;
    }
  }
  return portions;
}
