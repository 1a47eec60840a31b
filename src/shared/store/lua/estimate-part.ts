/** What a response probably costs whose usage is not known, by the finished runs of its tenant and model. A part of the ledger's. */
export const estimatePart = /* lua */ `
-- What a response of this model has cost so far, on the newest of the last seven days that knows it: "tokens cost", "tokens none" if
-- no price is, or "none".
local function likely_of(row)
  for days = 0, 6 do
    local place = key('sums', day_of(now - days * 86400000), row.tenant)
    local text = redis.call('HGET', place, cjson.encode({'model', row.model}))
    local sum = {}
    for name, value in string.gmatch(text or '', '([%w_]+)=(-?%d+)') do sum[name] = tonumber(value) end
    local function all(name) return (sum[name] or 0) + (sum['used_' .. name] or 0) end
    local known = all('responses') - all('pending') - all('unknown')
    if known > 0 and all('total_tokens') > 0 then
      local priced = known - all('unpriced')
      local cost = priced > 0 and string.format('%.0f', all('cost_usd_micros') / priced) or 'none'
      return string.format('%.0f ', all('total_tokens') / known) .. cost
    end
  end
  return 'none'
end
`;
