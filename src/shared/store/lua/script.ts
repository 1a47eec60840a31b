import type { z } from 'zod';
import { openStatuses, transitions } from '../../contract/words.ts';
import { DRAWN_ID } from '../lanes/plan.ts';
import { prune } from './prune.ts';

/**
 * One transition of the record, which Redis runs in one step. The Lua is written inside TypeScript strings, because bundlers
 * carry no other files into what they build.
 *
 * KEYS[1] is the lane's prefix. A script makes all other keys from that, so they share a hash tag and lie on one node of a
 * cluster. KEYS[2] is never written. While a cluster moves a slot key by key, the two nodes have a part of it each, and a script
 * would take what has moved for missing. A command of which a key is missing is refused then (TRYAGAIN), and is sent again.
 *
 * ARGV[1] is what a process tells every script, which few of them read. Then come two texts for each call: a JSON object, to
 * which the store adds the time of this process, and a body that Lua does not read. Each call is answered with a JSON object: the word
 * `reply`, Redis' time `now`, `work` if queue entries are due that it could not add itself, and `spread` if other lanes have to know of
 * a hold. A text may come with it, which the reply then has as `text`.
 */
export interface Script<Arguments extends object, Reply> {
  name: string;
  lua: string;
  reply: z.ZodType<Reply>;
  /** True if one call works on many jobs. */
  isLong: boolean;
  /** Carries the type of a call's arguments. It is never set. */
  readonly arguments?: Arguments;
}

export interface ScriptSource<Reply> {
  name: string;
  /** `allow-oom`: a full Redis must not stop a cancel or lose an id or a usage. `no-writes`: the script only reads. */
  flags?: 'allow-oom' | 'no-writes';
  parts?: string[];
  /** True if one call works on many jobs, so that it is a command of its own. */
  isLong?: true;
  body: string;
  reply: z.ZodType<Reply>;
}

export function defineScript<Arguments extends object>() {
  return <Reply>(source: ScriptSource<Reply>): Script<Arguments, Reply> => ({
    name: source.name,
    lua: textOf(source),
    isLong: source.isLong ?? false,
    reply: source.reply,
  });
}

function textOf({ flags, parts = [], body }: ScriptSource<unknown>): string {
  return [flags ? `#!lua flags=${flags}` : '#!lua', prune([base, ...parts], calls(body))].join('\n');
}

/**
 * Makes the body a function, and calls it for each pair of texts. A call that fails changes nothing for the others. If something
 * fails that is done for all of them, the rest of it is done all the same, and all of them are told.
 */
function calls(body: string): string {
  return `
local function step(given, text)
args, body, work, spread = cjson.decode(given), text, {}, nil
${body}
end

local answers = {}
for place = 2, #ARGV, 2 do
  local is_done, answer = pcall(step, ARGV[place], ARGV[place + 1])
  answers[#answers + 1] = is_done and answer or rare.failure(answer)
end
local problem
for place = 1, #endings do
  local is_done, reason = pcall(endings[place])
  if not is_done then problem = problem or reason end
end
return problem and rare.failure(problem) or answers
`;
}

/** Of several lanes, a job's sequence is its time in milliseconds times this, plus a counter. */
export const SEQUENCES_IN_A_MS = 2048;

/** The patrol checks every open job at least this often, and adds its queue entry if that is missing. */
export const PATROL_MS = 600_000;

/** `{queued = true, running = true}` */
export function luaSet(words: readonly string[]): string {
  return `{${words.map(word => `${word} = true`).join(', ')}}`;
}

const luaTransitions = Object.entries(transitions)
  .flatMap(([from, allowed]) => allowed.map(to => `${from}>${to} `))
  .join('');

/** The head of every script: arguments, Redis' own clock (I15), keys, the timeline, the outbox and the answer. */
const base = /* lua */ `
local root = KEYS[1] .. ':'
-- What one call is given, and what it asks for.
local args, body, work
-- What the other lanes have to know: holds that begin here, or end.
local spread
-- What is done once for all calls, after the last of them.
local endings = {}
local clock = redis.call('TIME')
-- Milliseconds. It is written to many places, and each time a number would have to be made a text of.
local now_text = clock[1] .. ('00000' .. clock[2]):sub(-6, -4)
local now = tonumber(now_text)
local patrol_ms = ${PATROL_MS}
local sequences_in_a_ms = ${SEQUENCES_IN_A_MS}

-- Spelled out, because it is called thirty times in a script, and a list of the parts costs more than the rest of it.
local function key(a, b, c, d)
  if not b then return root .. a end
  if not c then return root .. a .. ':' .. b end
  if not d then return root .. a .. ':' .. b .. ':' .. c end
  return root .. a .. ':' .. b .. ':' .. c .. ':' .. d
end

-- A whole number as text. Lua's own form of a large one has an exponent, and Redis' own takes twice as long.
local function int(number)
  number = number + 0
  -- The integers of C may have no more than 32 bits.
  if number < 2147483648 and number > -2147483648 then return string.format('%d', number) end
  -- In two parts a time takes half as long.
  if number > 0 and number < 2e15 then
    local low = number % 1000000
    return string.format('%d%06d', (number - low) / 1000000, low)
  end
  return string.format('%.0f', number)
end

-- What the process that calls tells every script: for how long things are kept, in milliseconds, and how it publishes.
local settings = {}

local function setting(name)
  if not settings[name] then
    local _, place = ARGV[1]:find(name .. '=', 1, true)
    settings[name] = ARGV[1]:match('^%w+', place + 1)
  end
  return settings[name]
end

-- The answer to a call that failed: the error of the command, or of the script itself.
local function failure(problem)
  redis.setresp(2)
  return type(problem) == 'table' and problem or redis.error_reply('ERR ' .. problem)
end

local function reply(word, fields)
  fields = fields or {}
  fields.reply = word
  if #work > 0 then fields.work = work end
  fields.spread = spread
  -- As text, because to write a number of this size takes longer than all other fields together.
  return cjson.encode(fields):sub(1, -2) .. ',"now":' .. now_text .. '}'
end

-- The timeline is there for people. It has what the record does not tell (docs/decisions/0020), and its length is bounded, so
-- that an endless story cannot fill the store (I9).
local function note(id, event, fields)
  fields = fields or {}
  fields.at = now
  fields.event = event
  local place = key('timeline', id)
  if redis.call('RPUSH', place, cjson.encode(fields)) > 100 then redis.call('LTRIM', place, -100, -1) end
end

-- Writes an entry to the outbox in the same step as the state that needs it. The sweeper adds what the caller did not (I5).
local function schedule(queue, id, due, priority)
  local entry = table.concat({queue, id, int(due), priority or 0}, '|')
  redis.call('ZADD', key('outbox'), now_text, entry)
  work[#work + 1] = entry
end

local open = ${luaSet(openStatuses)}
-- A text, because a table would be made anew by each script.
local transitions = ' ${luaTransitions}'

-- The time at which the patrol checks an open job next, which is never later than its deadline.
local function next_patrol(deadline_at)
  return int(math.min(deadline_at, now + patrol_ms))
end

-- A hash as a table of strings. A field that was never written is nil. In the third version of its protocol Redis makes the
-- table itself, which takes a fifth less than to make it of a list.
local function load(place)
  redis.setresp(3)
  local fields = redis.call('HGETALL', place).map
  redis.setresp(2)
  return fields
end

-- What a record leaves out, because most jobs have it like this.
local usual = {tags = '[]', priority = 0, attempts = 1, paid = 0, on_unknown = 'fail'}
local usually = {__index = usual}

-- A job's record. It is empty if there is none.
local function load_job(id)
  local job = load(key('job', id))
  return job.status and setmetatable(job, usually) or job
end

-- How a job is found by the beginning of the id that its caller knows.
local function listed_id(id, chosen_id)
  return chosen_id and chosen_id .. '|' .. id or id
end

-- Where a job is listed by its id. Those that Headstone draws are spread over 4,096 indexes, because Redis keeps a small one in a
-- third of the space.
local function ids_index(id, chosen_id)
  local digits = not chosen_id and id:match('^${DRAWN_ID}([0-9a-f][0-9a-f][0-9a-f])')
  return digits and key('ids', digits) or key('ids')
end

-- Writes fields of a hash with one command, because each command costs more than the fields that it carries.
local function write(place, fields)
  local list, length = {}, 0
  for name, value in pairs(fields) do
    list[length + 1] = name
    list[length + 2] = value
    length = length + 2
  end
  if length > 0 then redis.call('HSET', place, unpack(list)) end
end

-- Adds those of the fields that a table has and that are not as usual to a list of names and values in turns. Returns the list.
local function add(list, from, names)
  for position = 1, #names do
    local name = names[position]
    local value = from[name]
    if value and value ~= usual[name] then
      list[#list + 1] = name
      list[#list + 1] = value
    end
  end
  return list
end

-- Every change of a status is made here, with its index and with the fields that change in the same step, and only along the
-- table above. The fields are a list of names and values in turns, which Redis takes as it is.
local function move(id, job, status, fields)
  local from = job.status or 'none'
  if not transitions:find(' ' .. from .. '>' .. status .. ' ', 1, true) then
    error('no transition leads from ' .. from .. ' to ' .. status)
  end
  if job.status then redis.call('ZREM', key('status', job.status), id) end
  redis.call('ZADD', key('status', status), job.sequence, id)
  redis.call('HSET', key('job', id), 'status', status, unpack(fields or {}))
  job.status = status
end

-- Removes those of the fields that a loaded job has.
local function remove(id, job, names)
  local known = {}
  for position = 1, #names do
    local name = names[position]
    -- Lua makes room even for a nil where there was nothing.
    if job[name] then
      known[#known + 1] = name
      job[name] = nil
    end
  end
  if #known > 0 then redis.call('HDEL', key('job', id), unpack(known)) end
end

-- What is known of a launch. The newest one has a field of its own only once it took an unusual way: otherwise the job's
-- fields say all of it (docs/decisions/0020).
local function launch_of(job, epoch)
  local stored = job['launch:' .. int(epoch)]
  if stored then return cjson.decode(stored) end
  if tonumber(job.epoch) == epoch and job.intended_at then
    return {
      epoch = epoch, at = tonumber(job.intended_at), state = job.response_id and 'acknowledged' or 'intended',
      response_id = job.response_id, acknowledged_at = job.response_id and tonumber(job.running_at),
    }
  end
end

-- A POST may be under way from now on. The index finds it if its worker dies, even after its job was decided (I4).
local function list_intent(id, epoch)
  redis.call('ZADD', key('intents'), now_text, id .. '|' .. int(epoch))
end

local function unlist_intent(id, epoch)
  redis.call('ZREM', key('intents'), id .. '|' .. int(epoch))
end

-- Writes what is known of a launch into a field of its own.
local function store_launch(id, job, epoch, fields)
  local launch = launch_of(job, epoch) or {epoch = epoch, at = now}
  for name, value in pairs(fields) do launch[name] = value end
  local field = 'launch:' .. int(epoch)
  job[field] = cjson.encode(launch)
  redis.call('HSET', key('job', id), field, job[field])
end
`;
