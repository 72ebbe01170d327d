-- Revokes a target, and logs it.
--
-- KEYS: the deployment, the log, the lasting facts, the sessions that nobody ended, those that somebody did.
-- ARGV from 3: now, the target, its name, the session to keep or nothing, the reason, until, a nonce, what the default realm's
-- keys begin with, 1 where the subject's mark moves.
-- Answers how many live sessions ended, how many tokens were marked, and the entries.
local now, target, name, keep, reason, ends, nonce =
    tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local sessions, tokens = 0, 0

-- The epoch that the target's bump brings, and whether it can still be counted, before anything is written.
local bumped
if target == 'access' or target == 'subject' then
    bumped = 1 + math.max(own_epoch(name), highest('client'), lasting('global:'))
elseif target == 'client' then
    bumped = 1 + math.max(highest('subject'), lasting('client:' .. name), lasting('global:'))
elseif target == 'everything' then
    bumped = 1 + math.max(highest('subject'), highest('client'), lasting('global:'))
end
if bumped and bumped > LARGEST then
    return redis.error_reply('TGEPOCH there is no higher epoch')
end

local function write(kind, key, value, until_when)
    log(kind, key, value, until_when, now, nonce)
end

-- It grows also where two changes share a millisecond.
local function touch(uid)
    local changed = tonumber(call('HGET', prefix .. 'u:' .. uid, 'changed') or '0')
    call('HSET', prefix .. 'u:' .. uid, 'changed', text(math.max(now, changed + 1)))
end

-- Adds to what the epoch grew by without moving the mark.
local function unmark(uid, number)
    call('HINCRBY', prefix .. 'u:' .. uid, 'unmarked', text(number))
end

local moves_mark = ARGV[11] == '1'

local function bump(uid)
    if not moves_mark then
        unmark(uid, bumped - own_epoch(uid))
    end
    call('HSET', prefix .. 'u:' .. uid, 'epoch', text(bumped))
    call('HSET', KEYS[1], 'highest:subject', text(math.max(highest('subject'), bumped)))
    write('subject', uid, text(bumped), ends)
end

local function end_token(jti)
    local key = prefix .. 't:' .. jti
    local at = call('HGET', key, 'revoked')
    log_end('token', jti, until_for(at, ends, now), now, nonce)
    if at == '' then
        call('HSET', key, 'revoked', ARGV[3])
        tokens = tokens + 1
    end
end

-- Ends the sessions that nobody ended, or of those a client's: a thousand at a time, for there may be very many.
local function end_all(client)
    local from, some = 0, nil
    repeat
        some = call('ZRANGE', KEYS[4], from, from + 999)
        local gone, moved = {}, {}
        for _, sid in ipairs(some) do
            local key = prefix .. 's:' .. sid
            local row = call('HMGET', key, 'client', 'rev', 'idle', 'abs')
            if row[1] and not row[2] and (not client or row[1] == client) then
                call('HSET', key, 'rev', ARGV[3], 'why', reason)
                gone[#gone + 1] = sid
                moved[#moved + 1] = row[4]
                moved[#moved + 1] = sid
                if tonumber(row[3]) > now and tonumber(row[4]) > now then
                    sessions = sessions + 1
                end
            end
        end
        if #gone > 0 then
            call('ZREM', KEYS[4], unpack(gone))
            call('ZADD', KEYS[5], unpack(moved))
        end
        from = from + #some - #gone
    until #some < 1000
end

if target == 'access' or target == 'refresh' or target == 'subject' then
    touch(name)
    if target ~= 'access' then
        for _, sid in ipairs(call('ZRANGE', prefix .. 'us:' .. name, 0, -1)) do
            sessions = sessions + finish(sid, reason, now)
        end
    end
    if target ~= 'refresh' then
        bump(name)
    end
elseif target == 'others' then
    touch(name)
    if moves_mark then
        unmark(name, -1)
    end
    -- What ended before then has no access token left; a later end may not have been logged.
    local running = now - math.max(tonumber(ends) - now, 0)
    local sids = call('ZRANGE', prefix .. 'us:' .. name, 0, -1)
    table.sort(sids)
    for _, sid in ipairs(sids) do
        local row = call('HMGET', prefix .. 's:' .. sid, 'made', 'rev')
        if sid ~= keep and row[1] and (not row[2] or tonumber(row[2]) > running) then
            sessions = sessions + end_and_log(sid, reason, ends, now, nonce)
        end
    end
elseif target == 'session' then
    sessions = sessions + end_and_log(name, reason, ends, now, nonce)
elseif target == 'token' then
    end_token(name)
elseif target == 'tree' then
    local family, sids, seen = tree(name), {}, {}
    for _, jti in ipairs(family) do
        local sid = call('HGET', prefix .. 't:' .. jti, 'sid')
        if sid and sid ~= '' and not seen[sid] then
            seen[sid] = true
            sids[#sids + 1] = sid
        end
    end
    table.sort(sids)
    for _, sid in ipairs(sids) do
        sessions = sessions + end_and_log(sid, reason, ends, now, nonce)
    end
    for _, jti in ipairs(family) do
        end_token(jti)
    end
elseif target == 'client' then
    write('client', name, text(bumped), ends)
    call('HSET', KEYS[1], 'highest:client', text(math.max(highest('client'), bumped)))
    end_all(name)
elseif target == 'key' then
    -- In every namespace, the default realm's first, and in this one last: its entry is the answer.
    local own, others = prefix, call('SMEMBERS', ARGV[10] .. 'namespaces')
    table.insert(others, 1, ARGV[10])
    for _, other in ipairs(others) do
        if other ~= own then
            prefix, logged = other, {}
            write('key', name, '1', ends)
        end
    end
    prefix, logged = own, {}
    write('key', name, '1', ends)
elseif target == 'everything' then
    write('global', '', text(bumped), ends)
    end_all(nil)
end
return { sessions, tokens, logged }
