-- A page of the live sessions of a subject, oldest first.
--
-- KEYS: the deployment, the subject's sessions. ARGV from 3: now, behind which time and session or nothing twice, how many.
local now, after, last = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local live, found = {}, {}
for _, sid in ipairs(call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[3], '+inf')) do
    local key = prefix .. 's:' .. sid
    if is_live(key, now) then
        local made = tonumber(call('HGET', key, 'made'))
        if not after or made > after or made == after and sid > last then
            live[#live + 1] = { made, sid }
        end
    end
end
table.sort(live, function(one, two)
    if one[1] ~= two[1] then
        return one[1] < two[1]
    end
    return one[2] < two[2]
end)
for i = 1, math.min(#live, tonumber(ARGV[6])) do
    found[i] = read(live[i][2])
end
return found
