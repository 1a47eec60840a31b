import type { z } from 'zod';

/**
 * One transition of the record, run by Redis in one step. Lua lives in TypeScript strings, because bundlers
 * carry nothing else into what they build.
 *
 * Every script takes KEYS[1], the deployment's prefix, from which it makes all other keys: they share its hash tag,
 * so they are on one node of a cluster. ARGV[1] is a JSON object, ARGV[2] a body that Lua need not read.
 * The answer is JSON with the word `reply`, and `work` where queue entries are due.
 */
export interface Script<Arguments extends object, Reply> {
  name: string;
  lua: string;
  reply: z.ZodType<Reply>;
  /** Carries the type of ARGV[1]; never set. */
  readonly arguments?: Arguments;
}

export interface ScriptSource<Reply> {
  name: string;
  /** `allow-oom`: a full Redis must not stop a cancel, nor lose a response id or a usage · `no-writes`: it only reads. */
  flags?: 'allow-oom' | 'no-writes';
  parts?: string[];
  body: string;
  reply: z.ZodType<Reply>;
}

export function defineScript<Arguments extends object>() {
  return <Reply>(source: ScriptSource<Reply>): Script<Arguments, Reply> => ({
    name: source.name,
    lua: [source.flags ? `#!lua flags=${source.flags}` : '#!lua', base, ...(source.parts ?? []), source.body].join(
      '\n',
    ),
    reply: source.reply,
  });
}

/** How long the patrol leaves an open job alone: its queue entry is looked after at least this often. */
export const PATROL_MS = 600_000;

/** In front of every script: arguments, Redis' own clock (I15), keys, the timeline, the outbox, the answer. */
const base = /* lua */ `
local root = KEYS[1]
local args = cjson.decode(ARGV[1])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local work = {}
local patrol_ms = ${PATROL_MS}

local function key(...)
  return root .. ':' .. table.concat({...}, ':')
end

local function reply(word, fields)
  fields = fields or {}
  fields.reply = word
  fields.now = now
  if #work > 0 then fields.work = work end
  return cjson.encode(fields)
end

-- The timeline is for people: its length is bounded, so that an endless story cannot fill the store (I9).
local function note(id, event, fields)
  fields = fields or {}
  fields.at = now
  fields.event = event
  redis.call('RPUSH', key('timeline', id), cjson.encode(fields))
  redis.call('LTRIM', key('timeline', id), -100, -1)
end

-- Work and the state that needs it are written in one step; the sweeper adds what the caller did not (I5).
local function schedule(queue, id, due, priority)
  local entry = table.concat({queue, id, string.format('%.0f', due), priority or 0}, '|')
  redis.call('ZADD', key('outbox'), now, entry)
  work[#work + 1] = entry
end

local open = {queued = true, launching = true, running = true}

-- When the patrol has to look at an open job next: at its deadline, or before.
local function next_patrol(deadline_at)
  return string.format('%.0f', math.min(deadline_at, now + patrol_ms))
end

-- The record's fields as a table of strings; a field that was never written is nil.
local function load(place)
  local flat = redis.call('HGETALL', place)
  local fields = {}
  for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
  return fields
end

-- The one place where a status changes, with its index.
local function move(id, job, status)
  if job.status then redis.call('ZREM', key('status', job.status), id) end
  redis.call('ZADD', key('status', status), job.sequence, id)
  redis.call('HSET', key('job', id), 'status', status)
  job.status = status
end

-- What is known of a launch. While it is only intended it stands in an index too, so that one whose worker died is found
-- even after its job was decided (I4).
local function mark_launch(id, epoch, fields)
  local number = string.format('%.0f', epoch)
  local field = 'launch:' .. number
  if fields.state == 'intended' then
    redis.call('ZADD', key('intents'), now, id .. '|' .. number)
  else
    redis.call('ZREM', key('intents'), id .. '|' .. number)
  end
  local known = redis.call('HGET', key('job', id), field)
  local launch = known and cjson.decode(known) or {epoch = epoch, at = now}
  for name, value in pairs(fields) do launch[name] = value end
  redis.call('HSET', key('job', id), field, cjson.encode(launch))
end
`;
