import { z } from 'zod';
import { defineScript } from './script.ts';
import type { Retention } from './shapes.ts';

export interface AppendEventsArguments {
  id: string;
  token: string;
  /** The sequence number before the first event; events that the store has are not given again. */
  after: number;
  /** Of the last event; the same as `after` where there is none, and then this only says that the holder lives. */
  last: number;
  /** Items that these events begin. They are remembered for longer than their provider keeps them, in case they are refused. */
  item_ids: string[];
  /** False once the provider's numbers were of no use: nobody can resume this run by them. */
  are_theirs: boolean;
  /** True where an event says something of the output. */
  has_output: boolean;
  /** How many batches of one stream are kept. */
  most_batches: number;
  /** How much of one stream is kept. */
  most_bytes: number;
  retention: Retention;
}

const replySchema = z.object({ reply: z.enum(['appended', 'stale', 'final', 'full']) });

/**
 * Adds a batch of a stream's events, ARGV[2], a JSON array. `final`: the job was decided, so nobody reads on · `stale`:
 * another worker holds the stream · `full`: the stream is longer than what is kept of one.
 */
export const appendEvents = defineScript<AppendEventsArguments>()({
  name: 'append_events',
  body: /* lua */ `
local place = key('job', args.id)
local fields = redis.call('HMGET', place, 'status', 'stream_token', 'stream_last', 'stream_bytes')
if fields[1] ~= 'running' then return reply('final') end
if fields[2] ~= args.token or tonumber(fields[3] or -1) ~= args.after then return reply('stale') end
if tonumber(fields[4] or 0) + #ARGV[2] > args.most_bytes then return reply('full') end
redis.call('ZADD', key('streams'), now, args.id)
if args.last == args.after then return reply('appended') end
-- An entry's id is the place after its last event, so that a reader finds its own by the number it has.
local events = key('events', args.id)
if redis.call('XLEN', events) >= args.most_batches then return reply('full') end
redis.call('XADD', events, string.format('%.0f', args.last + 1) .. '-0',
  'after', string.format('%.0f', args.after), 'events', ARGV[2])
redis.call('PEXPIRE', events, args.retention.result_ms)
redis.call('HSET', place, 'stream_last', string.format('%.0f', args.last))
redis.call('HINCRBY', place, 'stream_bytes', #ARGV[2])
for _, item_id in ipairs(args.item_ids) do
  redis.call('SET', key('item', item_id), args.id, 'PX', args.retention.ledger_ms)
end
if not args.are_theirs then redis.call('HSET', place, 'stream_numbers', 'ours') end
if args.has_output then redis.call('HSET', place, 'stream_spoke', 1) end
redis.call('PUBLISH', key('streamed'), args.id)
return reply('appended')
`,
  reply: replySchema,
});
