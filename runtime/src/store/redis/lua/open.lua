-- Opens a session: was the subject changed, are there too many, then writes it.
--
-- KEYS: the deployment, the session, its subject, the subject's sessions, those that nobody ended, the log, the lasting facts.
-- ARGV from 3: now, sid, uid, client, `since` or `after`, that time, the limit or nothing, `deny` or `evict`, the log's until, a
-- nonce, the absolute expiry, the device or nothing, the claims as `=…` or nothing, the place of the value that it takes or
-- nothing, the number of the row's words, these, the tokens, the number of the sessions that it replaces, these.
local now, sid, uid = tonumber(ARGV[3]), ARGV[4], ARGV[5]
if call('EXISTS', KEYS[2]) == 1 then
    return redis.error_reply('TGTAKEN its id is taken')
end
local changed, bound = tonumber(call('HGET', KEYS[3], 'changed') or '0'), tonumber(ARGV[8])
if ARGV[7] == 'since' and changed > 0 and changed >= bound or ARGV[7] == 'after' and changed ~= bound then
    return { 'reload', text(changed) }
end

local words = tonumber(ARGV[17])
local last_token = 18 + words + tonumber(ARGV[18 + words]) * 10
local replaces, leaves = {}, {}
for i = last_token + 2, last_token + 1 + tonumber(ARGV[last_token + 1]) do
    replaces[#replaces + 1] = ARGV[i]
    leaves[ARGV[i]] = true
end

local evicted = {}
if ARGV[9] ~= '' then
    local found = {}
    for _, other in ipairs(call('ZRANGEBYSCORE', KEYS[4], '(' .. ARGV[3], '+inf')) do
        local key = prefix .. 's:' .. other
        if not leaves[other] and is_live(key, now) then
            local row = call('HMGET', key, 'seen', 'made')
            found[#found + 1] = { tonumber(row[1]), tonumber(row[2]), other }
        end
    end
    local surplus = #found - (tonumber(ARGV[9]) - 1)
    if surplus > 0 then
        if ARGV[10] == 'deny' then
            return { 'limit' }
        end
        table.sort(found, function(one, two)
            if one[1] ~= two[1] then
                return one[1] < two[1]
            elseif one[2] ~= two[2] then
                return one[2] < two[2]
            end
            return one[3] < two[3]
        end)
        for i = 1, surplus do
            evicted[i] = found[i][3]
        end
    end
end

if ARGV[16] ~= '' then
    if not payload_at(ARGV[16], now) then
        return { 'gone' }
    end
    take(ARGV[16])
end
local replaced = {}
for i, other in ipairs(replaces) do
    local before = #logged
    local was_live = end_and_log(other, 'sign_out', ARGV[11], now, ARGV[12])
    replaced[i] = { was_live, 0, { unpack(logged, before + 1) } }
end
for _, other in ipairs(evicted) do
    finish(other, 'device_limit', now)
    log_end('session', other, ARGV[11], now, ARGV[12])
end
local abs = tonumber(ARGV[13])
call('HSET', KEYS[2], unpack(ARGV, 18, 17 + words))
let_vanish(KEYS[2], abs, now)
if ARGV[14] ~= '' then
    call('SET', prefix .. 'd:' .. sid, ARGV[14])
    let_vanish(prefix .. 'd:' .. sid, abs, now)
end
if ARGV[15] ~= '' then
    call('SET', prefix .. 'c:' .. sid, string.sub(ARGV[15], 2))
    let_vanish(prefix .. 'c:' .. sid, abs, now)
end
call('ZADD', KEYS[4], ARGV[13], sid)
let_vanish(KEYS[4], abs, now)
call('ZADD', KEYS[5], ARGV[13], sid)
record(18 + words)
tidy(KEYS[4], 's:', now)
tidy(KEYS[5], 's:', now)
tidy(prefix .. 'over', 's:', now)
return { 'open', text(epoch(uid, ARGV[6])), evicted, replaced }
