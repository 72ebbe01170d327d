-- Writing the revocation log: a stream, and beside it the present value of each lasting fact.
local logged = {}

-- The first writing of a script drops entries from the stream's head, up to the first that may still matter. A lasting fact is
-- an entry of the stream for those who wait there, and is read from `lasting`: its entry ends in 1970.
local function log(kind, key, value, ends, now, nonce)
    local is_lasting = kind == 'client' or kind == 'key' or kind == 'global' or kind == 'pause'
    local stream = prefix .. 'log'
    local trim = {}
    if #logged == 0 then
        for _, entry in ipairs(call('XRANGE', stream, '-', '+', 'COUNT', 32)) do
            trim = { 'MINID', '=', entry[1] }
            if tonumber(entry[2][8]) + SLACK > now then
                break
            end
        end
    end
    local entry = { 'kind', kind, 'key', key, 'value', value, 'until', is_lasting and '0' or ends, 'nonce', nonce }
    local id
    if #trim == 0 then
        id = call('XADD', stream, '*', unpack(entry))
    else
        id = call('XADD', stream, trim[1], trim[2], trim[3], '*', unpack(entry))
    end
    if is_lasting then
        call('HSET', prefix .. 'lasting', kind .. ':' .. key, value .. ' ' .. id)
    end
    logged[#logged + 1] = { kind, key, value, is_lasting and '' or ends }
    return id
end

-- Writes the end of a session or a token, unless it needs no entry any more or one stands that lasts as long. Earlier ones are
-- deleted, except the stream's last entry, from which readers go on: that one goes with the next.
local function log_end(kind, key, ends, now, nonce)
    if tonumber(ends) <= now then
        return
    end
    local place = prefix .. 'e:' .. kind .. ':' .. key
    local standing = call('HMGET', place, 'until', 'id', 'before')
    if standing[1] and tonumber(standing[1]) >= tonumber(ends) then
        logged[#logged + 1] = { kind, key, '0', ends }
        return
    end
    local stays = false
    if standing[1] then
        local last = call('XREVRANGE', prefix .. 'log', '+', '-', 'COUNT', 1)
        stays = last[1] and last[1][1] == standing[2]
        if standing[3] then
            call('XDEL', prefix .. 'log', standing[3])
        end
        if not stays then
            call('XDEL', prefix .. 'log', standing[2])
        end
    end
    local id = log(kind, key, '0', ends, now, nonce)
    call('HSET', place, 'until', ends, 'id', id)
    if stays then
        call('HSET', place, 'before', standing[2])
    else
        call('HDEL', place, 'before')
    end
    let_vanish(place, tonumber(ends), now)
end
