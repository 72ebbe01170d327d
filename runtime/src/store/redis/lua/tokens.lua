-- Rows of the registry under all given conditions, oldest first, where no tree is asked for at most as many as are wanted.
--
-- KEYS: the deployment. ARGV from 3: now, the subject as `=…` or nothing, sid or nothing, the device as `=…` or nothing, the root of
-- a tree or nothing, active as 1, 0 or nothing, the limit, one token or nothing, and behind which time and token, or nothing twice.
local now, subject, sid, device, root, active, limit =
    tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], tonumber(ARGV[9])
local only, after, last = ARGV[10], tonumber(ARGV[11]), ARGV[12]

local function is_active(row)
    if tonumber(row[8]) <= now or row[9] ~= '' then
        return false
    elseif row[2] == '' then
        return true
    end
    local session = call('HMGET', prefix .. 's:' .. row[2], 'made', 'rev')
    return session[1] and not session[2]
end

local found = {}
local function look_at(jti)
    local row = call('HMGET', prefix .. 't:' .. jti, 'kind', 'sid', 'gen', 'parent', 'subject', 'device', 'issued', 'expires',
        'revoked')
    if row[1]
        and (only == '' or jti == only)
        and (not after or tonumber(row[7]) > after or tonumber(row[7]) == after and jti > last)
        and (subject == '' or '=' .. row[5] == subject)
        and (sid == '' or row[2] == sid)
        and (device == '' or row[6] == device)
        and (active == '' or is_active(row) == (active == '1'))
    then
        row[10] = jti
        found[#found + 1] = row
    end
end

if root ~= '' then
    for _, jti in ipairs(tree(root)) do
        look_at(jti)
    end
    return found
end
if only ~= '' then
    look_at(only)
    return found
end
local index = prefix .. 'tokens'
if sid ~= '' then
    index = prefix .. 'tn:' .. sid
elseif subject ~= '' then
    index = prefix .. 'ts:' .. string.sub(subject, 2)
end
local from = 0
while #found < limit do
    local some = call('ZRANGEBYSCORE', index, after and ARGV[11] or '-inf', '+inf', 'LIMIT', text(from), '1000')
    for _, jti in ipairs(some) do
        if #found < limit then
            look_at(jti)
        end
    end
    if #some < 1000 then
        break
    end
    from = from + 1000
end
return found
