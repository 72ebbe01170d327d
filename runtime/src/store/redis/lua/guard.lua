-- What every script begins with: it does nothing where another deployment lies than the one that its caller knows.
--
-- KEYS[1] is the deployment, ARGV[1] its id, ARGV[2] what every key begins with. Numbers are doubles here: times and epochs are
-- below 2^53 and exact, and `text` writes them, because `..` keeps fourteen digits only.
local call = redis.call
if call('HGET', KEYS[1], 'id') ~= ARGV[1] then
    return redis.error_reply('TGLOST another deployment is here, or none')
end
local prefix = ARGV[2]

-- How long what has ended stays at least: longer than clocks may differ. Nothing is decided by a key's absence before then.
local SLACK = 900000
local LARGEST = 9007199254740991

local function text(number)
    return string.format('%.0f', number)
end

-- Lets a key vanish by itself some time after its end, which only tidies up: every end is compared with the caller's time.
-- What is left counts, not the point in time, so that a node whose clock is behind makes nothing vanish early.
local function let_vanish(key, ends, now)
    local left = math.min(math.max(ends - now, 0) + SLACK, LARGEST / 2)
    if left > call('PTTL', key) then
        call('PEXPIRE', key, text(left))
    end
end

-- Forgets a few of an index's members whose keys have vanished.
local function tidy(index, kind, now)
    for _, member in ipairs(call('ZRANGEBYSCORE', index, '-inf', text(now - SLACK), 'LIMIT', 0, 4)) do
        if call('EXISTS', prefix .. kind .. member) == 0 then
            call('ZREM', index, member)
        end
    end
end
