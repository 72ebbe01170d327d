-- Sessions: a hash for what rotates, whose values are short enough to lie packed, and beside it what seldom changes.

local function is_live(key, now)
    local row = call('HMGET', key, 'rev', 'idle', 'abs')
    return row[2] and not row[1] and tonumber(row[2]) > now and tonumber(row[3]) > now
end

-- Ends a session that nobody ended before, expired or not; answers 1 where it was live.
--
-- Expired ones too: another node's clock may be behind, and to it the session is live.
local function finish(sid, reason, now)
    local key = prefix .. 's:' .. sid
    local row = call('HMGET', key, 'rev', 'idle', 'abs')
    if row[1] or not row[2] then
        return 0
    end
    call('HSET', key, 'rev', text(now), 'why', reason)
    call('ZREM', prefix .. 'live', sid)
    call('ZADD', prefix .. 'over', row[3], sid)
    return (tonumber(row[2]) > now and tonumber(row[3]) > now) and 1 or 0
end
