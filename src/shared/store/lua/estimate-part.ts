/** What a response probably costs whose usage is not known, by the finished runs of its tenant and model. A part of the ledger's. */
export const estimatePart = /* lua */ `
local function sums_days_ago(days, tenant)
  return key('sums', day_of(now - days * 86400000), tenant)
end

-- A new tenant has none, and one command finds that out.
local function has_earlier_sums(tenant)
  local places = {}
  for days = 1, 6 do places[days] = sums_days_ago(days, tenant) end
  return redis.call('EXISTS', unpack(places)) > 0
end

-- What a response of this model has cost so far, on the newest of the last seven days that knows it: "tokens cost", "tokens none" if
-- no price is, or "none".
local function likely_of(row)
  for days = 0, 6 do
    if days == 1 and not has_earlier_sums(row.tenant) then return 'none' end
    local text = redis.call('HGET', sums_days_ago(days, row.tenant), cjson.encode({'model', row.model}))
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
