-- The live sessions of a subject.
--
-- KEYS: the deployment, the subject's sessions. ARGV from 3: now.
local found = {}
for _, sid in ipairs(call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[3], '+inf')) do
    if is_live(prefix .. 's:' .. sid, tonumber(ARGV[3])) then
        found[#found + 1] = read(sid)
    end
end
return found
