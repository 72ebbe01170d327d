-- Keeps a value, or takes a key, where none that still counts lies there. Answers 1, or 0 and nothing written.
-- Where it would not count, nothing is written either.
--
-- KEYS: the deployment, the index of what ends, the place. ARGV from 3: now, the place's name, until, the payload, and the subject
-- as `=…` whose mark it ends with, the client and the mark, or nothing.
local now = tonumber(ARGV[3])
local there = call('HGET', KEYS[3], 'until')
if there and tonumber(there) > now then
    return 0
end
if tonumber(ARGV[5]) <= now then
    return 1
end
call('DEL', KEYS[3])
call('HSET', KEYS[3], 'until', ARGV[5], 'payload', ARGV[6])
if ARGV[7] and ARGV[7] ~= '' then
    call('HSET', KEYS[3], 'uid', string.sub(ARGV[7], 2), 'client', ARGV[8], 'mark', ARGV[9])
end
let_vanish(KEYS[3], tonumber(ARGV[5]), now)
call('ZADD', KEYS[2], ARGV[5], ARGV[4])
tidy(KEYS[2], '', now)
return 1
