// Loaded before the product (`node --import`), into a process that is to die: it names the process's steps, and kills it at one.
// A step is what others can see of a process, which is a command that changes Redis, or a call to the provider. Whatever it does
// between two steps dies with it, so a kill before and after each step is a kill at every point that makes a difference.
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';
import { Command } from 'ioredis';
import { nameOf } from '../script-names.ts';

export interface Arming {
  /** A file that gets a line for each step, `before NAME` and `after NAME`, as it happens. */
  trace?: string;
  /** The line at which the process is killed, and at its how many-th time. */
  at?: string;
  time?: number;
}

/** The variable that arms a process. */
export const ARMING = 'TEST_CRASH';

const armed = process.env[ARMING];
if (armed !== undefined) arm(JSON.parse(armed) as Arming);

function arm({ trace, at, time = 1 }: Arming): void {
  let left = time;
  const reach = (line: string) => {
    if (trace !== undefined) appendFileSync(trace, `${line}\n`);
    if (line !== at) return;
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  };
  watchRedis(reach);
  watchProvider(reach);
}

function watchRedis(reach: (line: string) => void): void {
  const { toWritable } = Command.prototype;
  Command.prototype.toWritable = function (socket) {
    const name = nameOf(this.name, this.args);
    if (name !== null) {
      reach(`before ${name}`);
      // Asked for before the product's own, so that the product never learns of the answer.
      this.promise.then(
        () => reach(`after ${name}`),
        () => {},
      );
    }
    return toWritable.call(this, socket);
  };
}

/** The calls of the product's own client and of `fetch` alike, because both are undici's. */
function watchProvider(reach: (line: string) => void): void {
  subscribe('undici:request:create', message => reach(`before ${callOf(message)}`));
  subscribe('undici:request:headers', message => reach(`after ${callOf(message)}`));
}

function callOf(message: unknown): string {
  const { method, path } = (message as { request: { method: string; path: string } }).request;
  if (!path.includes('/responses')) return 'callback';
  if (path.endsWith('/cancel')) return 'cancel at the provider';
  return method === 'POST' ? 'create' : 'retrieve';
}
