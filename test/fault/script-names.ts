import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';

const names = new Map<string, string>();

// Every client of this process is told of its scripts in this way, the product's as well as BullMQ's.
const { defineCommand } = Redis.prototype;
Redis.prototype.defineCommand = function (name, definition) {
  // The product's scripts have this beginning, and those of BullMQ its version as their end.
  const known = name.replace(/^headstone_|:[\d.]+$/g, '');
  names.set(definition.lua, known).set(createHash('sha1').update(definition.lua).digest('hex'), known);
  return defineCommand.call(this, name, definition);
};

/** The commands that change Redis, and are not scripts. */
const writes = new Set(['del', 'hdel', 'hset', 'incr', 'pexpire', 'publish', 'set', 'unlink', 'xadd', 'zadd', 'zrem']);

/** The name of a command that changes Redis: a script's, or the command's own with the kind of its key. Null for any other. */
export function nameOf(command: string, args: unknown[]): string | null {
  const [first = '', , key = ''] = args.map(String);
  if (command === 'eval' || command === 'evalsha') return names.get(first) ?? `eval ${kindOf(key)}`;
  return writes.has(command) ? `${command} ${kindOf(first)}` : null;
}

/** Without the prefix, and without what it is the key of. */
function kindOf(key: string): string {
  return key.replace(/^\{[^}]*\}[^:]*:/, '').replace(/[:|].*$/, '');
}
