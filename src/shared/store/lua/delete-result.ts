import { z } from 'zod';
import { defineScript } from './script.ts';

export interface DeleteResultArguments {
  id: string;
}

const replySchema = z.object({ reply: z.enum(['deleted', 'still_open', 'not_found']) });

/** Deletes the request and the result of a job that has its outcome. Record, tombstone and ledger stay. */
export const deleteResult = defineScript<DeleteResultArguments>()({
  name: 'delete_result',
  flags: 'allow-oom',
  body: /* lua */ `
local place = key('job', args.id)
local job = load_job(args.id)
if not job.status then return reply('not_found') end
if open[job.status] then return reply('still_open') end
if not job.deleted_at then
  redis.call('HSET', place, 'deleted_at', now)
  redis.call('DEL', key('result', args.id), key('events', args.id), key('request', args.id))
  -- The beginning of the prompt is part of the request.
  local pieces = {}
  for name in pairs(job) do
    if name:sub(1, 8) == 'preview:' then pieces[#pieces + 1] = name end
  end
  remove(args.id, job, pieces)
  note(args.id, 'result_deleted')
end
return reply('deleted')
`,
  reply: replySchema,
});
