-- Marks generations as used, in the order in which they come. Answers how many changed.
--
-- KEYS: the deployment, the sessions. ARGV from 3: now, and of each session its generation.
local now, changed = tonumber(ARGV[3]), 0
for i = 2, #KEYS do
    local row = call('HMGET', KEYS[i], 'gen', 'conf')
    if row[1] == ARGV[i + 2] and not row[2] and is_live(KEYS[i], now) then
        call('HSET', KEYS[i], 'conf', '1')
        changed = changed + 1
    end
end
return changed
