/** How a response is tied to the intent that made it: by the worker that received its id, or later when it is found again. */
export const tiePart = /* lua */ `
-- A gateway may answer two creates with one response. The job that launched it first keeps it.
local function is_adopted(row)
  return redis.call('HGET', key('job', row.job_id), 'adopted') and not row.kind
end

-- The job that adopted a response has it no longer, because a launch of this deployment made it. An open job fails.
local function end_adopter(id, adopter, response_id, owner)
  if adopter.response_id ~= response_id then return end
  local place = key('job', id)
  if adopter.epoch then redis.call('HDEL', place, 'launch:' .. adopter.epoch) end
  redis.call('HDEL', place, 'response_id', 'epoch')
  adopter.response_id = nil
  if open[adopter.status] then
    finish(id, adopter, {
      status = 'failed', code = 'response_of_another_job',
      message = 'This response was launched by ' .. owner .. ' of this deployment. Read its outcome there.',
    })
  end
end

-- Another job adopted the response before its launch was acknowledged. It goes back to the job that launched it, and that
-- job's outcome stands: adopting a response that a cancel refused must not undo the cancel (I1).
local function take_from_adopter(row, id, job)
  local adopter = load_job(row.job_id)
  -- The message must not name another tenant's job (I12).
  end_adopter(row.job_id, adopter, row.response_id, adopter.tenant == job.tenant and 'job ' .. id or 'another job')
  redis.call('ZREM', key('rows', row.tenant), row.response_id)
  return change_row(row, function(after)
    after.job_id = id
    after.chosen_job_id = job.chosen_id or false
    after.completion_window = job.completion_window or false
    after.tenant = job.tenant
    after.tags = job.tags
    if job.model ~= 'unknown' then after.model = job.model end
    list_for_tenant(after)
  end)
end

-- launch: id, epoch, response_id, bound, observation, first_poll_ms, outcome, launch_lock
local function tie(launch)
  local job = load_job(launch.id)
  -- The holds that the create was sent under have the model that was asked for.
  local asked_model = job.model
  if job.status then name_model(launch.id, job, launch.observation) end
  local row = load(key('row', launch.response_id))
  local known = row.response_id ~= nil
  if not known then
    row = open_row(launch.response_id, launch.id, job, launch.bound, launch.observation)
  elseif job.status and row.job_id ~= launch.id and rare.is_adopted(row) then
    row = rare.take_from_adopter(row, launch.id, job)
  end

  local sent = launch_of(job, launch.epoch) or {}
  unlist_intent(launch.id, launch.epoch)
  -- A gateway that sends a create twice makes two responses of one launch. The first that is acknowledged stays the launch's.
  local is_first = not sent.response_id or sent.response_id == launch.response_id
  -- A job that went back to the queue takes the response too, if nothing was launched since: it is the one that it wants.
  local is_wanted = is_first and (job.status == 'launching' or job.status == 'queued')
    and tonumber(job.epoch) == launch.epoch and (not known or not row.kind and row.job_id == launch.id)
  local is_own = job['launch:' .. int(launch.epoch)] or not is_wanted and sent.response_id ~= launch.response_id
  if job.status and is_first and is_own then
    rare.store_launch(launch.id, job, launch.epoch, {state = 'acknowledged', response_id = launch.response_id})
  end
  if job.status then lift_after_success(job.tenant, asked_model, sent.at or 0) end

  if job.response_id == launch.response_id and job.status == 'running' then return reply('running') end
  -- This acknowledgement was written before, and only its reply was lost.
  if launch.outcome and row.job_id == launch.id and job.response_id == launch.response_id
    and job.status == launch.outcome.status then
    return reply('ended', {status = job.status})
  end
  if known and (row.kind or row.job_id ~= launch.id) then
    -- The response was adopted and decided before its launch was acknowledged, or a gateway answered two creates with it. It
    -- belongs to the other job, and this job has nothing left to wait for (I1, I3, I12).
    local is_waiting = (job.status == 'launching' or job.status == 'queued') and tonumber(job.epoch) == launch.epoch
    if is_waiting and row.job_id ~= launch.id then
      rare.finish(launch.id, job, {
        status = 'failed', code = 'response_of_another_job',
        message = 'The response of this launch belongs to another job. It was adopted, or a caching gateway answered two creates with it.',
      })
    end
    return reply('unwanted', {cause = row.cause or 'orphaned'})
  end

  if is_wanted then
    if job.parked_scope then redis.call('ZREM', key('parked', job.parked_scope), launch.id) end
    remove(launch.id, job, {'unknown_at', 'missing_since', 'parked_scope', 'refused', 'refused_at', 'lonely'})
    move(launch.id, job, 'running', {
      'response_id', launch.response_id, 'running_at', now_text, 'paid', int(tonumber(job.paid) + 1), 'intent_token', '',
    })
    local entry_ended = launch.launch_lock
      and end_launch(launch.id, launch.launch_lock, 'acknowledged ' .. launch.response_id)
    if known then row = rare.change_row(row, function(after) observe(after, launch.observation) end) end
    if launch.outcome then
      job.response_id = launch.response_id
      rare.finish(launch.id, job, launch.outcome, row)
      return reply('ended', {status = launch.outcome.status, entry_ended = entry_ended})
    end
    enter('poll', launch.id, now + launch.first_poll_ms, 0)
    return reply('running', {entry_ended = entry_ended})
  end

  -- The cause is a newer launch, the job's tombstone, or that the response was found after its job was given up.
  local cause = 'orphaned'
  local mark = {}
  if job.epoch and tonumber(job.epoch) > launch.epoch then
    cause = 'superseded'
  elseif job.status == 'cancelled' or job.status == 'expired' then
    cause = job.cause
    mark = {reason = job.reason, actor = job.actor, cancellation = job.cancellation}
  end
  mark.cause = cause
  if job.status then rare.note(launch.id, 'launch_unwanted', {response_id = launch.response_id, epoch = launch.epoch, cause = cause}) end
  rare.unwant(launch.response_id, mark, launch.observation)
  return reply('unwanted', {cause = cause})
end
`;
