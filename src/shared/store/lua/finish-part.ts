/** How a job leaves `open`: the only place that writes an outcome, always in the step that decided it (I2). */
export const finishPart = /* lua */ `
-- outcome: status, cause, reason, actor, code, message, seen, has_result, has_body, item_ids, stream_complete
local function finish(id, job, outcome)
  local place = key('job', id)
  move(id, job, outcome.status)
  redis.call('HSET', place, 'decided_at', now)
  if job.model == 'unknown' and outcome.seen and outcome.seen.served_model then
    job.model = outcome.seen.served_model
    redis.call('HSET', place, 'model', job.model)
  end
  for _, name in ipairs({'cause', 'reason', 'actor', 'key_name', 'code', 'message'}) do
    if outcome[name] then redis.call('HSET', place, name, outcome[name]) end
  end
  redis.call('ZREM', key('open'), id)
  if job.parked_scope then
    redis.call('ZREM', key('parked', job.parked_scope), id)
    redis.call('HDEL', place, 'parked_scope')
  end
  redis.call('ZADD', key('ended'), now + args.retention.record_ms, id)
  redis.call('PEXPIRE', key('request', id), args.retention.result_ms)
  if outcome.has_result or outcome.has_body then
    redis.call('SET', key('result', id), ARGV[2], 'PX', args.retention.result_ms)
    for _, item_id in ipairs(outcome.item_ids or {}) do
      redis.call('SET', key('item', item_id), id, 'PX', args.retention.result_ms)
    end
  end

  -- What was refused is gone in the step that refused it: no late reader plays it again (I1).
  if job.stream then
    if outcome.status == 'cancelled' or outcome.status == 'expired' then redis.call('DEL', key('events', id)) end
    if outcome.stream_complete then redis.call('HSET', place, 'stream', 'done') end
    redis.call('PEXPIRE', key('events', id), args.retention.result_ms)
    redis.call('ZREM', key('streams'), id)
  end

  if job.response_id then
    local before = load(key('row', job.response_id))
    if outcome.has_result and before.response_id then
      local after = copy(before)
      if not after.kind then
        after.kind = 'used'
        after.ended_at = string.format('%.0f', now)
      end
      observe(after, outcome.seen)
      save_row(before, after)
      -- A result without usage is followed like waste: it may still turn up.
      if after.status ~= 'final' then settle_again(job.response_id, now) end
    elseif not outcome.has_result then
      unwant(job.response_id, {cause = outcome.cause or 'failed', reason = outcome.reason, actor = outcome.actor}, outcome.seen)
    end
  end

  note(id, outcome.status, {
    cause = outcome.cause, reason = outcome.reason, actor = outcome.actor, key_name = outcome.key_name, code = outcome.code,
  })
  if job.notify then schedule('notify', id, now) end
  redis.call('PUBLISH', key('decided'), cjson.encode({id = id, status = outcome.status, response_id = job.response_id}))
end
`;
