-- Replaces the device of a live session.
--
-- KEYS: the deployment, the session, its device. ARGV from 3: now, the device or nothing.
if not is_live(KEYS[2], tonumber(ARGV[3])) then
    return 0
end
if ARGV[4] == '' then
    call('DEL', KEYS[3])
else
    call('SET', KEYS[3], ARGV[4], 'PX', text(math.max(call('PTTL', KEYS[2]), SLACK)))
end
return 1
