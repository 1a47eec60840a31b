import { z } from 'zod';
import { entryPart } from './entry-part.ts';
import { ledgerPart } from './ledger-part.ts';
import { defineScript } from './script.ts';
import type { Observation } from './shapes.ts';
import { workSchema } from './work.ts';

export interface ChargeArguments {
  response_id: string;
  observation?: Observation;
  /** True if the provider accepted our cancel, or answered that nothing was left to cancel. */
  cancel_acknowledged?: boolean;
  /** True with it if the provider answered that nothing was left to cancel. */
  cancel_too_late?: boolean;
  /** The time for which a response is followed. Once it has passed by Redis' clock, the row keeps what is known (I15). */
  window_ms?: number;
  /** The messages that had hinted when this look began, as the row has them. It answers those and no later one. */
  answers_hint?: string;
}

const replySchema = z.discriminatedUnion('reply', [
  z.object({
    reply: z.literal('charged'),
    status: z.enum(['pending', 'final', 'unknown']),
    /** True once: when a result that nobody wants is observed for the first time. */
    flipped: z.boolean(),
    upstream_status: z.string().optional(),
    work: workSchema,
  }),
  z.object({ reply: z.literal('missing') }),
]);

/**
 * Books what was learned about a response. A usage may only rise, the sums move by the difference, and the job's outcome
 * stays as it is: a late truth changes only the ledger (I3, I8, I11).
 */
export const charge = defineScript<ChargeArguments>()({
  name: 'charge',
  flags: 'allow-oom',
  parts: [entryPart, ledgerPart],
  body: /* lua */ `
local before = load(key('row', args.response_id))
if not before.response_id then
  redis.call('ZREM', key('unsettled'), args.response_id)
  return reply('missing')
end
local id = before.job_id
local flipped = false

-- The provider keeps no response for longer than 30 days. Until then one that it still means to run is not over.
local longest_run_ms = 30 * 86400000
local runs = {queued = true, in_progress = true, pending = true, processing = true, running = true}
local function is_over(row)
  local seen = args.observation
  if seen and runs[seen.upstream_status or ''] and now < tonumber(row.at) + longest_run_ms then return false end
  return args.window_ms and now >= tonumber(row.ended_at or row.at) + args.window_ms
end

local results = {completed = true, incomplete = true, requires_action = true}
local after = change_row(before, function(row)
  observe(row, args.observation)
  if args.answers_hint and row.hinted and row.heard == args.answers_hint then row.hinted = false end
  if args.cancel_acknowledged and not row.cancel_acknowledged then
    row.cancel_acknowledged = '1'
    note(id, args.cancel_too_late and 'upstream_cancel_too_late' or 'upstream_cancel_acknowledged', {
      response_id = args.response_id, upstream_status = not args.cancel_too_late and row.upstream_status or nil,
    })
  end
  if row.status == 'pending' and is_over(row) then row.status = row.usage and 'final' or 'unknown' end
  if row.kind == 'wasted' and results[row.upstream_status or ''] and not row.flip_seen then
    flipped = true
    row.flip_seen = '1'
    note(id, 'late_result_dropped', {response_id = args.response_id, upstream_status = row.upstream_status})
  end
  if row.kind == 'wasted' and row.status == 'final' then
    row.late_by_ms = int(math.max(0, tonumber(row.usage_at) - tonumber(row.ended_at)))
  end
end)
if after.status ~= 'pending' then redis.call('ZREM', key('unsettled'), args.response_id) end
if after.status ~= before.status and after.kind == 'wasted' then tell_settled(after) end
return reply('charged', {status = after.status, flipped = flipped, upstream_status = after.upstream_status})
`,
  reply: replySchema,
});
