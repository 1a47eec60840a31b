/** Ties a response to the intent that made it: for the worker that hears its id, and for an orphan that is found later. */
export const tiePart = /* lua */ `
-- A gateway may answer two creates with one response: a job that launched it itself keeps it.
local function is_adopted(row)
  return redis.call('HGET', key('job', row.job_id), 'adopted') and not row.kind
end

-- Somebody adopted the response before its own launch was heard of. It is this job's, and what became of this job is
-- what everybody sees: a cancel must not be undone by adopting the response that it refused (I1).
local function take_from_adopter(row, id, job)
  local adopter = load(key('job', row.job_id))
  local place = key('job', row.job_id)
  if adopter.response_id == row.response_id then
    if adopter.epoch then redis.call('HDEL', place, 'launch:' .. adopter.epoch) end
    redis.call('HDEL', place, 'response_id', 'epoch')
    adopter.response_id = nil
    if open[adopter.status] then
      -- Another tenant's job is not named (I12).
      local owner = adopter.tenant == job.tenant and 'job ' .. id or 'another job'
      finish(row.job_id, adopter, {
        status = 'failed', code = 'response_of_another_job',
        message = 'The response was launched by ' .. owner .. ' of this deployment: what became of it stands there.',
      })
    end
  end
  local after = copy(row)
  after.job_id = id
  after.chosen_job_id = job.chosen_id
  after.completion_window = job.completion_window
  after.tenant = job.tenant
  after.tags = job.tags
  if job.model ~= 'unknown' then after.model = job.model end
  redis.call('ZREM', key('rows', row.tenant), row.response_id)
  list_for_tenant(after)
  save_row(row, after)
  return after
end

-- launch: id, epoch, response_id, most, seen, first_poll_ms, outcome
local function tie(launch)
  local place = key('job', launch.id)
  local job = load(place)
  -- What it was held under when it was sent.
  local asked_model = job.model
  -- A stored prompt named the model: the answer says which.
  if job.model == 'unknown' and launch.seen and launch.seen.served_model then
    job.model = launch.seen.served_model
    redis.call('HSET', place, 'model', job.model)
  end
  local row = load(key('row', launch.response_id))
  local known = row.response_id ~= nil
  if not known then
    row = open_row(launch.response_id, launch.id, job, launch.most)
  elseif job.status and row.job_id ~= launch.id and is_adopted(row) then
    row = take_from_adopter(row, launch.id, job)
  end

  local intent = job['launch:' .. string.format('%.0f', launch.epoch)]
  local sent = intent and cjson.decode(intent) or {}
  -- Two responses with one mark, as a gateway makes them that sends a create twice: the first one stays the launch's.
  local is_first = not sent.response_id or sent.response_id == launch.response_id
  if job.status and is_first then
    mark_launch(launch.id, launch.epoch, {state = 'acknowledged', response_id = launch.response_id})
  end
  if job.model then
    -- A success lifts the alarms that it was tried under. A rate hold ends by its own time, and the next begins anew.
    for _, scope in ipairs({'tenant:' .. job.tenant .. '|model:' .. asked_model, 'model:' .. asked_model, 'account'}) do
      local held = redis.call('HMGET', key('hold', scope), 'kind', 'since', 'until')
      if held[1] == 'alarm' and tonumber(held[2]) <= (sent.at or 0) then
        redis.call('DEL', key('hold', scope))
      elseif held[1] == 'rate' and tonumber(held[3]) <= now then
        redis.call('HSET', key('hold', scope), 'strikes', 0)
      end
    end
  end

  if job.response_id == launch.response_id and job.status == 'running' then return reply('running') end
  -- The same answer again: its first one was written, and only that was not heard of.
  if launch.outcome and row.job_id == launch.id and job.response_id == launch.response_id
    and job.status == launch.outcome.status then
    return reply('ended', {status = job.status})
  end
  if known and (row.kind or row.job_id ~= launch.id) then
    -- Adopted and decided before its own launch was heard of; or a gateway gave one response to two creates. What becomes of
    -- it is the other job's to say, and to see: this one has nothing left to wait for (I1, I3, I12).
    local is_waiting = (job.status == 'launching' or job.status == 'queued') and tonumber(job.epoch) == launch.epoch
    if is_waiting and row.job_id ~= launch.id then
      finish(launch.id, job, {
        status = 'failed', code = 'response_of_another_job',
        message = 'The response of this launch is another job’s: it was adopted, or a caching gateway answered two creates with one.',
      })
    end
    return reply('unwanted', {cause = row.cause or 'orphaned'})
  end

  -- Also a job that went back to the queue, if nothing was launched since: this response is the one that it wants.
  if is_first and (job.status == 'launching' or job.status == 'queued') and tonumber(job.epoch) == launch.epoch then
    if job.parked_scope then redis.call('ZREM', key('parked', job.parked_scope), launch.id) end
    redis.call('HDEL', place, 'unknown_at', 'missing_since', 'parked_scope',
      'refused', 'refused_at', 'lonely')
    redis.call('HSET', place, 'response_id', launch.response_id, 'running_at', now)
    redis.call('HINCRBY', place, 'paid', 1)
    redis.call('ZADD', key('open'), 'XX', next_patrol(tonumber(job.deadline_at)), launch.id)
    move(launch.id, job, 'running')
    note(launch.id, 'launched', {response_id = launch.response_id, epoch = launch.epoch})
    if launch.seen then
      local after = copy(row)
      observe(after, launch.seen)
      save_row(row, after)
    end
    if launch.outcome then
      job.response_id = launch.response_id
      finish(launch.id, job, launch.outcome)
      return reply('ended', {status = launch.outcome.status})
    end
    schedule('poll', launch.id, now + launch.first_poll_ms)
    return reply('running')
  end

  -- Which of the causes: a newer launch; the job's tombstone; or a response found after its job was given up.
  local cause = 'orphaned'
  local mark = {}
  if job.epoch and tonumber(job.epoch) > launch.epoch then
    cause = 'superseded'
  elseif job.status == 'cancelled' or job.status == 'expired' then
    cause = job.cause
    mark = {reason = job.reason, actor = job.actor}
  end
  mark.cause = cause
  if job.status then note(launch.id, 'launched_unwanted', {response_id = launch.response_id, epoch = launch.epoch, cause = cause}) end
  unwant(launch.response_id, mark, launch.seen)
  return reply('unwanted', {cause = cause})
end
`;
