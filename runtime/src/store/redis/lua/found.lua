-- Founds the deployment where there is none, and answers its id. It is the one script without a guard.
--
-- KEYS: the deployment, the log, the lasting facts.
-- ARGV: an id to give, what every key begins with, the schema, now, the id that the caller knew or nothing, a nonce, what the
-- default realm's keys begin with.
--
-- A caller that knew another id saw this Redis lose everything. Whatever access tokens were issued before, perhaps revoked since,
-- die by one lasting entry: a global epoch that is the time in milliseconds, which counting cannot have reached. One caller of
-- several writes it.
local call, prefix, now, lost, nonce = redis.call, ARGV[2], tonumber(ARGV[4]), ARGV[5], ARGV[6]
local here = call('HMGET', KEYS[1], 'id', 'schema')
-- Who raises the schema writes beside it which programs may still use it; who does not, lets none of before use it.
local needed = here[2] and (call('HGET', KEYS[1], 'readable:' .. here[2]) or here[2])
if needed and tonumber(needed) > tonumber(ARGV[3]) then
    return redis.error_reply('TGNEWER ' .. needed)
end
local id = here[1] or ARGV[1]
if not here[1] then
    call('HSET', KEYS[1], 'id', id, 'schema', ARGV[3], 'founded', ARGV[4], 'older_since', '0')
    if ARGV[7] ~= prefix then
        -- A realm's namespace is known from its first moment on, and knows which keys no longer count.
        call('SADD', ARGV[7] .. 'namespaces', prefix)
        local facts = call('HGETALL', ARGV[7] .. 'lasting')
        for i = 1, #facts, 2 do
            local key = string.match(facts[i], '^key:(.*)$')
            if key then
                local entry = call('XADD', KEYS[2], '*', 'kind', 'key', 'key', key, 'value', '1', 'until', '0', 'nonce', nonce)
                call('HSET', KEYS[3], facts[i], '1 ' .. entry)
            end
        end
    end
end
if here[1] then
    -- A deployment of a release that did not write this.
    call('HSETNX', KEYS[1], 'older_since', ARGV[4])
end
if lost ~= '' and lost ~= id and call('HSETNX', KEYS[1], 'lost:' .. lost, ARGV[4]) == 1 then
    local global = call('HGET', KEYS[3], 'global:')
    local highest = math.max(global and tonumber(string.match(global, '^%d+')) or 0,
        tonumber(call('HGET', KEYS[1], 'highest:subject') or '0'), tonumber(call('HGET', KEYS[1], 'highest:client') or '0'))
    local epoch = string.format('%.0f', math.max(now, highest + 1))
    local entry = call('XADD', KEYS[2], '*', 'kind', 'global', 'key', '', 'value', epoch, 'until', '0', 'nonce', nonce)
    call('HSET', KEYS[3], 'global:', epoch .. ' ' .. entry)
end
return id
