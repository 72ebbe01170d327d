-- Values that are taken once.

-- The payload of a value that may be taken, or false.
local function payload_at(place, now)
    local there = call('HMGET', prefix .. place, 'until', 'payload', 'uid', 'client', 'mark')
    if not there[1] or tonumber(there[1]) <= now then
        return false
    end
    if there[3] and mark(there[3], there[4]) ~= tonumber(there[5]) then
        return false
    end
    return there[2]
end

local function take(place)
    call('DEL', prefix .. place)
    call('ZREM', prefix .. 'once', place)
end
