-- Deletes what ended before a time: at most `limit` rows of each kind, and looks at a bounded number of others.
--
-- KEYS: the deployment, the sessions that nobody ended, those that somebody did, the tokens by their end, what is single-use, the
-- budgets, the log. ARGV from 3: now, before, limit. Answers sessions, tokens, others, and 1 where there may be more.
local now, before, limit = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local sessions, tokens, others, more = 0, 0, 0, 0

-- The members of an index that ended, and one more than may go.
local function ended(index, from, count)
    return call('ZRANGEBYSCORE', index, '-inf', '(' .. ARGV[4], 'LIMIT', from, text(count))
end

for _, index in ipairs({ KEYS[2], KEYS[3] }) do
    local some = ended(index, 0, limit + 1)
    for i, sid in ipairs(some) do
        if i > limit or sessions == limit then
            more = 1
            break
        end
        local key = prefix .. 's:' .. sid
        local uid = call('HGET', key, 'uid')
        if uid then
            call('DEL', key, prefix .. 'd:' .. sid, prefix .. 'c:' .. sid, prefix .. 'p:' .. sid)
            call('ZREM', prefix .. 'us:' .. uid, sid)
            sessions = sessions + 1
        end
        call('ZREM', index, sid)
    end
end

-- A row without a session stays while one below it does, so that no tree is split. `needed` and `free` remember what was found.
local needed, free = {}, {}

local function token(jti)
    return call('HMGET', prefix .. 't:' .. jti, 'expires', 'sid', 'parent', 'subject')
end

local function stays(row)
    return tonumber(row[1]) >= before or row[2] ~= '' and is_live(prefix .. 's:' .. row[2], now)
end

local function is_needed(root)
    local below, seen, at = { root }, { [root] = true }, 1
    while below[at] and not needed[root] do
        for _, child in ipairs(call('SMEMBERS', prefix .. 'tc:' .. below[at])) do
            local row = token(child)
            if row[1] and not seen[child] and not free[child] then
                seen[child] = true
                if needed[child] or stays(row) then
                    local above = row[3]
                    while above ~= '' and not needed[above] do
                        local parent = token(above)
                        if not parent[1] or parent[2] ~= '' then
                            break
                        end
                        needed[above] = true
                        above = parent[3]
                    end
                elseif row[2] == '' then
                    below[#below + 1] = child
                end
            end
        end
        at = at + 1
    end
    if not needed[root] then
        for _, jti in ipairs(below) do
            free[jti] = true
        end
    end
    return needed[root]
end

-- Rows that stay are passed over; the next run goes on behind them, and after the last one begins again.
local began = tonumber(call('HGET', KEYS[1], 'archived') or '0')
local from = began
local window = limit + 1000
local some = ended(KEYS[4], from, window)
local is_full = false
for _, jti in ipairs(some) do
    local row = token(jti)
    if row[1] and (stays(row) or row[2] == '' and is_needed(jti)) then
        from = from + 1
    elseif tokens == limit then
        is_full = true
        break
    else
        if row[1] then
            call('DEL', prefix .. 't:' .. jti)
            call('ZREM', prefix .. 'tokens', jti)
            call('ZREM', prefix .. 'ts:' .. row[4], jti)
            if row[2] ~= '' then
                call('ZREM', prefix .. 'tn:' .. row[2], jti)
            end
            if row[3] ~= '' then
                call('SREM', prefix .. 'tc:' .. row[3], jti)
            end
            tokens = tokens + 1
        end
        call('ZREM', KEYS[4], jti)
    end
end
if is_full or #some == window then
    more = 1
else
    from = 0
end
if from ~= began then
    call('HSET', KEYS[1], 'archived', text(from))
end

for index, kind in pairs({ [KEYS[5]] = '', [KEYS[6]] = 'b:' }) do
    for i, name in ipairs(ended(index, 0, limit + 1)) do
        if i > limit then
            more = 1
            break
        end
        others = others + call('DEL', prefix .. kind .. name)
        call('ZREM', index, name)
    end
end

-- Entries that end later may lie between those that ended, so the log is walked; it holds those of an access token's life.
local dead, position, walked = 0, '-', 0
while walked < limit + 10000 do
    local entries = call('XRANGE', KEYS[7], position, '+', 'COUNT', 1000)
    for _, entry in ipairs(entries) do
        local ends = tonumber(entry[2][8])
        -- An entry is needed by nobody once it ended.
        if ends > 0 and ends < now then
            if dead == limit then
                more = 1
                walked = math.huge
                break
            end
            call('XDEL', KEYS[7], entry[1])
            dead = dead + 1
        end
        position = '(' .. entry[1]
    end
    walked = walked + 1000
    if #entries < 1000 then
        break
    end
end
return { sessions, tokens, others + dead, more }
