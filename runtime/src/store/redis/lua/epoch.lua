-- The one line of epochs, and the marks of subjects.

-- The number that a lasting fact begins with.
local function lasting(field)
    local found = call('HGET', prefix .. 'lasting', field)
    return found and tonumber(string.match(found, '^%d+')) or 0
end

local function own_epoch(uid)
    return tonumber(call('HGET', prefix .. 'u:' .. uid, 'epoch') or '0')
end

-- The effective epoch of a subject's session for a client.
local function epoch(uid, client)
    return math.max(own_epoch(uid), lasting('client:' .. client), lasting('global:'))
end

-- The effective mark of a subject for a client. Its own is its epoch less what grew without moving the mark.
local function mark(uid, client)
    local own = own_epoch(uid) - tonumber(call('HGET', prefix .. 'u:' .. uid, 'unmarked') or '0')
    return own + lasting('client:' .. client) + lasting('global:')
end

-- The highest epoch that any subject, or any client, has ever had. Epochs only grow.
local function highest(whose)
    return tonumber(call('HGET', KEYS[1], 'highest:' .. whose) or '0')
end
