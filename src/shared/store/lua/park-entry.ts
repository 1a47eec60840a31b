import { z } from 'zod';
import { entryPart } from './entry-part.ts';
import { defineScript } from './script.ts';
import type { QueueName } from './work.ts';

export interface ParkEntryArguments {
  queue: QueueName;
  entry: string;
  /** The worker's lock. */
  lock: string;
  due_in_ms: number;
}

/**
 * Moves a worker's entry to its time. `gone`: the lock is not the worker's any more, so another worker may have the entry (I7),
 * or this step was done before and only its answer was lost.
 */
export const parkEntry = defineScript<ParkEntryArguments>()({
  name: 'park_entry',
  flags: 'allow-oom',
  parts: [entryPart],
  body: /* lua */ `
local base = key(args.queue, '')
local place = base .. args.entry
if redis.call('GET', place .. ':lock') ~= args.lock then return reply('gone') end
redis.call('DEL', place .. ':lock')
redis.call('LREM', base .. 'active', -1, args.entry)
delay_entry(base, args.entry, args.local_time + args.due_in_ms)
return reply('parked')
`,
  reply: z.object({ reply: z.enum(['parked', 'gone']) }),
});
