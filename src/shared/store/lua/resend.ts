import { z } from 'zod';
import { defineScript } from './script.ts';

export interface ResendArguments {
  /** Of the API key and the body. */
  digest: string;
  /** How often the client says that it has sent this before. */
  count: number;
  /** The job's id where this is a first send. */
  new_id: string;
  /** For how long a send is the same as one before. */
  window_ms: number;
}

const replySchema = z.object({ reply: z.enum(['first', 'again']), id: z.string() });

/**
 * Which job a create means that a client's SDK may have sent before. A send number n goes on from a send of a smaller
 * number, the nearest first, and takes its place: two requests of equal bodies are never one job because of it.
 */
export const resend = defineScript<ResendArguments>()({
  name: 'resend',
  body: /* lua */ `
local most_kept = 1000

local function keep(id)
  local place = key('sends', args.digest, string.format('%.0f', args.count))
  redis.call('LPUSH', place, cjson.encode({id = id, at = now}))
  redis.call('LTRIM', place, 0, most_kept - 1)
  redis.call('PEXPIRE', place, args.window_ms)
end

-- Who has asked for a job by its id has got the answer to its create: nobody sends that again.
local function was_answered(id)
  return redis.call('EXISTS', key('answered', id)) == 1
end

for number = args.count - 1, 0, -1 do
  local place = key('sends', args.digest, string.format('%.0f', number))
  for _ = 1, most_kept do
    local line = redis.call('LPOP', place)
    if not line then break end
    local send = cjson.decode(line)
    if now - send.at > args.window_ms then
      -- The newest is too old, so all are.
      redis.call('DEL', place)
    elseif not was_answered(send.id) then
      keep(send.id)
      return reply('again', {id = send.id})
    end
  end
end
keep(args.new_id)
return reply('first', {id = args.new_id})
`,
  reply: replySchema,
});
