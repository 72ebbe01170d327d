-- Writes when it was asked, and looks for one live session. Those that end last come first, so a live one is found at once.
-- Answers whether there is one, and when this release first opened a deployment of a release before, or 0.
--
-- KEYS: the deployment, the sessions that nobody ended. ARGV from 3: now.
local now = tonumber(ARGV[3])
call('HSET', KEYS[1], 'checked', ARGV[3])
local older = call('HGET', KEYS[1], 'older_since') or '0'
local from = 0
while true do
    local some = call('ZREVRANGEBYSCORE', KEYS[2], '+inf', '(' .. ARGV[3], 'LIMIT', from, 1000)
    for _, sid in ipairs(some) do
        if is_live(prefix .. 's:' .. sid, now) then
            return {1, older}
        end
    end
    if #some < 1000 then
        return {0, older}
    end
    from = from + 1000
end
