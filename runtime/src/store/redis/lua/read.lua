-- A session's row with what lies beside it, and its effective epoch, all of one moment; false where there is none.
local function read(sid)
    local row = call('HGETALL', prefix .. 's:' .. sid)
    local uid, client
    for i = 1, #row, 2 do
        if row[i] == 'uid' then
            uid = row[i + 1]
        elseif row[i] == 'client' then
            client = row[i + 1]
        end
    end
    if not uid then
        return false
    end
    local beside = call('MGET', prefix .. 'd:' .. sid, prefix .. 'c:' .. sid, prefix .. 'p:' .. sid)
    return { sid, text(epoch(uid, client)), beside[1], beside[2], beside[3], row }
end
