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
end
