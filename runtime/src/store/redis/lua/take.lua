-- Takes a payload out, or answers false.
--
-- KEYS: the deployment, the index of what ends, the place. ARGV from 3: now, the place's name.
local there = call('HMGET', KEYS[3], 'until', 'payload')
if not there[1] or tonumber(there[1]) <= tonumber(ARGV[3]) then
    return false
end
call('DEL', KEYS[3])
call('ZREM', KEYS[2], ARGV[4])
return there[2]
