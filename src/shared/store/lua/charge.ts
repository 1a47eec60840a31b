import { z } from 'zod';
import { ledgerPart } from './ledger-part.ts';
import { defineScript } from './script.ts';
import type { Retention, Seen } from './shapes.ts';

export interface ChargeArguments {
  response_id: string;
  seen?: Seen;
  /** The upstream took our cancel, or it told us that there is nothing left to cancel. */
  cancel_acknowledged?: boolean;
  /** The watcher's window: when it is over by Redis' clock, what is known now is what the row will say (I15). */
  window_ms?: number;
  retention: Retention;
}

const replySchema = z.discriminatedUnion('reply', [
  z.object({
    reply: z.literal('charged'),
    status: z.enum(['pending', 'final', 'unknown']),
    /** True once: the first sight of a result that nobody wants any more. */
    flipped: z.boolean(),
    upstream_status: z.string().optional(),
  }),
  z.object({ reply: z.literal('missing') }),
]);
export type ChargeReply = z.infer<typeof replySchema>;

/**
 * Books what was learned about a response. A usage may only rise, the sums move by the difference, and the job's
 * outcome is not touched: a late truth changes the ledger alone (I3, I8, I11).
 */
export const charge = defineScript<ChargeArguments>()({
  name: 'charge',
  flags: 'allow-oom',
  parts: [ledgerPart],
  body: /* lua */ `
local before = load(key('row', args.response_id))
if not before.response_id then
  redis.call('ZREM', key('unsettled'), args.response_id)
  return reply('missing')
end
local after = copy(before)
local id = after.job_id
observe(after, args.seen)

if args.cancel_acknowledged and not after.cancel_acknowledged then
  after.cancel_acknowledged = '1'
  note(id, 'upstream_cancel_acknowledged', {response_id = args.response_id, upstream_status = after.upstream_status})
end
-- What the provider still means to run is not over, however late it is; after 30 days it keeps no response.
local most_patience_ms = 30 * 86400000
local runs = {queued = true, in_progress = true, pending = true, processing = true, running = true}
local will_run = args.seen and runs[args.seen.upstream_status or ''] and now < tonumber(after.at) + most_patience_ms
if args.window_ms and after.status == 'pending' and not will_run and now >= tonumber(after.ended_at or after.at) + args.window_ms then
  after.status = after.usage and 'final' or 'unknown' end

local flipped = false
local result = after.upstream_status == 'completed' or after.upstream_status == 'incomplete'
  or after.upstream_status == 'requires_action'
if after.kind == 'wasted' and result and not after.flip_seen then
  flipped = true
  after.flip_seen = '1'
  note(id, 'late_result_dropped', {response_id = args.response_id, upstream_status = after.upstream_status})
end
if after.kind == 'wasted' and after.status == 'final' then
  after.late_by_ms = string.format('%.0f', math.max(0, tonumber(after.usage_at) - tonumber(after.ended_at)))
end
if after.status ~= 'pending' then redis.call('ZREM', key('unsettled'), args.response_id) end
if after.status ~= before.status and after.kind == 'wasted' then
  note(id, 'settled', {
    response_id = args.response_id, status = after.status,
    total_tokens = tonumber(after.total_tokens), cost_usd_micros = tonumber(after.cost_usd_micros),
  })
end
save_row(before, after)
return reply('charged', {status = after.status, flipped = flipped, upstream_status = after.upstream_status})
`,
  reply: replySchema,
});
