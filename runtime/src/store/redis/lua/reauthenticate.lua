-- Writes a fresh authentication into a live session. Answers the session, or false.
--
-- KEYS: the deployment, the session. ARGV from 3: now, sid, auth_time, acr as `=…` or nothing, the place of the value that it
-- takes or nothing.
if not is_live(KEYS[2], tonumber(ARGV[3])) then
    return false
end
if ARGV[7] ~= '' then
    if not payload_at(ARGV[7], tonumber(ARGV[3])) then
        return false
    end
    take(ARGV[7])
end
call('HSET', KEYS[2], 'auth', ARGV[5], 'seen', ARGV[3])
if ARGV[6] == '' then
    call('HDEL', KEYS[2], 'acr')
else
    call('HSET', KEYS[2], 'acr', string.sub(ARGV[6], 2))
end
return read(ARGV[4])
