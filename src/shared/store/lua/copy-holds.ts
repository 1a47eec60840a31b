import { z } from 'zod';
import { holdPart } from './hold-part.ts';
import { defineScript } from './script.ts';

/** What a script in another lane did to holds. */
export interface HoldNews {
  imposed?: {
    scope: string;
    kind: 'alarm' | 'rate';
    code: string;
    lifted_by?: string;
    for_ms: number;
    http_status?: number;
    /** True if that lane tries now whether the alarm is over. */
    is_trial?: boolean;
  }[];
  lifted?: { scope: string; sent_at: number }[];
  /** Refused launches, which are evidence for a hold whichever lane they were in. */
  refused?: { id: string; tenant: string; model: string; why: string; wide: string }[];
}

/**
 * Does the same to this lane's copies of the holds. An alarm ends a little later here than where it began, so that its trial is
 * sent there, and one trial tells all lanes.
 */
export const copyHolds = defineScript<HoldNews>()({
  name: 'copy_holds',
  parts: [holdPart],
  body: /* lua */ `
local lead_ms = 5000
for _, news in ipairs(args.refused or {}) do note_refusal(news.id, news, news.why, news.wide) end
for _, wish in ipairs(args.imposed or {}) do
  if wish.kind == 'alarm' then wish.for_ms = wish.for_ms + lead_ms end
  if not wish.is_trial or redis.call('EXISTS', key('hold', wish.scope)) == 1 then hold(wish.scope, wish) end
end
for _, news in ipairs(args.lifted or {}) do
  local held = redis.call('HMGET', key('hold', news.scope), 'kind', 'since')
  if held[1] == 'alarm' then lift(news.scope, held[2], news.sent_at) end
end
-- The lane where it happened tells all others.
spread = nil
return reply('copied')
`,
  reply: z.object({ reply: z.literal('copied') }),
});
