-- The end of a session, and its entry in the log.

-- Until when the end of what was revoked at a time, perhaps, has to be remembered: no access token of it is younger than that. So
-- the same end has the same until, however often it is asked for.
local function until_for(at, ends, now)
    at = tonumber(at or '')
    return at and text(math.max(tonumber(ends) - math.max(now - at, 0), 0)) or ends
end

-- Ends a session, and logs that, whether or not it is there; answers 1 where it was live.
local function end_and_log(sid, reason, ends, now, nonce)
    local at = call('HGET', prefix .. 's:' .. sid, 'rev')
    local was_live = finish(sid, reason, now)
    log_end('session', sid, until_for(at, ends, now), now, nonce)
    return was_live
end
