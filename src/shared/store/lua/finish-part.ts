/** How a job gets its outcome. Nothing else writes one, and it is always written in the step that decided it (I2). */
export const finishPart = /* lua */ `
-- outcome: status, cause, reason, actor, key_name, cancellation, code, message, refusal, observation, has_result, has_body, item_ids,
-- stream_complete. row: the ledger row of the job's response, if the caller has loaded it.
local function finish(id, job, outcome, row)
  name_model(id, job, outcome.observation)
  local fields = add({'decided_at', now_text}, outcome, {
    'cause', 'reason', 'actor', 'key_name', 'cancellation', 'code', 'message',
  })
  if outcome.refusal then fields = {'refusal', cjson.encode(outcome.refusal), unpack(fields)} end
  if outcome.stream_complete and job.stream then fields = {'stream', 'done', unpack(fields)} end
  move(id, job, outcome.status, fields)
  redis.call('ZREM', key('open'), id)
  if job.parked_scope then redis.call('ZREM', key('parked', job.parked_scope), id) end
  remove(id, job, {'parked_scope'})
  if job.attended then
    redis.call('ZREM', key('attended'), id)
    redis.call('ZREM', key('last_calls'), id)
    redis.call('DEL', key('attending', id))
  end
  redis.call('ZADD', key('ended'), int(now + setting('record_ms')), id)
  redis.call('PEXPIRE', key('request', id), setting('result_ms'))
  if outcome.has_result or outcome.has_body then
    redis.call('SET', key('result', id), body, 'PX', setting('result_ms'))
    for _, item_id in ipairs(outcome.item_ids or {}) do
      redis.call('SET', key('item', item_id), id, 'PX', setting('result_ms'))
    end
  end

  -- The events of a refused response are deleted in the step that refuses it, so no late reader plays them again (I1).
  if job.stream then
    if outcome.status == 'cancelled' or outcome.status == 'expired' then redis.call('DEL', key('events', id)) end
    redis.call('PEXPIRE', key('events', id), setting('result_ms'))
    redis.call('ZREM', key('streams'), id)
  end

  if job.response_id then
    if outcome.has_result then
      local used = change_row(row or load(key('row', job.response_id)), function(after)
        if not after.kind then
          after.kind = 'used'
          after.ended_at = now_text
        end
        observe(after, outcome.observation)
      end)
      -- A result without a usage is watched like waste, because the usage may still turn up.
      if used and used.status ~= 'final' then rare.settle_again(job.response_id, now) end
    else
      local mark = {cause = outcome.cause or 'failed', reason = outcome.reason, actor = outcome.actor, cancellation = outcome.cancellation}
      rare.unwant(job.response_id, mark, outcome.observation)
    end
  end

  if job.callback then rare.enter('callback', 'outcome:' .. id, now, 0) end
  if job.notify then rare.schedule('notify', id, now) end
  redis.call(setting('publish'), key('decided'), cjson.encode({id = id, status = outcome.status, response_id = job.response_id}))
end
`;
