import { z } from 'zod';
import { defineScript } from './script.ts';

export interface ForgiveArguments {
  id: string;
  stalls: number;
}

const replySchema = z.object({ reply: z.literal('forgiven') });

/**
 * Progress after crashes: they no longer count towards poison. BullMQ's own counter is a budget for a job's whole
 * life, so a long-lived job would die of crashes that it survived.
 */
export const forgive = defineScript<ForgiveArguments>()({
  name: 'forgive',
  body: /* lua */ `
if redis.call('EXISTS', key('job', args.id)) == 1 then
  redis.call('HSET', key('job', args.id), 'forgiven_stalls', args.stalls)
end
return reply('forgiven')
`,
  reply: replySchema,
});
