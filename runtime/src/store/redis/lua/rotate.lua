-- The compare-and-swap of a refresh. Answers 1 where the condition held and the step is done, otherwise 0, and nothing written.
--
-- KEYS: the deployment, the session, the log. ARGV from 3: now, sid, the step, the generation as read, the log's until or
-- nothing, a nonce, where it is used from as JSON or nothing, then of an advance the hash as read, the new one, sealed, context,
-- idle expiry, of a re-mint the new hash and sealed, and of a slide the hash as read and the idle expiry; last the tokens.
local now, step, tokens = tonumber(ARGV[3]), ARGV[5], 10
local row = call('HMGET', KEYS[2], 'gen', 'cur', 'conf', 'rev', 'idle', 'abs')
if row[1] ~= ARGV[6] or row[4] or tonumber(row[5]) <= now or tonumber(row[6]) <= now then
    return 0
end
local successor = tonumber(row[1]) + 1
local rotates = step == 'advance' or step == 'remint'
if rotates and successor > 4294967295 then
    return 0
end
if step == 'advance' then
    if row[2] ~= ARGV[10] then
        return 0
    end
    local idle = tonumber(ARGV[14]) < tonumber(row[6]) and ARGV[14] or row[6]
    call('HSET', KEYS[2], 'gen', text(successor), 'pgen', row[1], 'phash', row[2], 'cur', ARGV[11], 'seal', ARGV[12],
        'ctx', ARGV[13], 'rot', ARGV[3], 'sup', ARGV[3], 'seen', ARGV[3], 'idle', idle)
    call('HDEL', KEYS[2], 'conf')
    tokens = 15
elseif step == 'remint' then
    if row[3] then
        return 0
    end
    call('HSET', KEYS[2], 'gen', text(successor), 'cur', ARGV[10], 'seal', ARGV[11], 'rot', ARGV[3], 'seen', ARGV[3])
    tokens = 12
elseif step == 'slide' then
    if row[2] ~= ARGV[10] then
        return 0
    end
    local idle = tonumber(ARGV[11]) < tonumber(row[6]) and ARGV[11] or row[6]
    call('HSET', KEYS[2], 'seen', ARGV[3], 'idle', idle)
    tokens = 12
end
-- Beside the row, whose values have to be short.
if step ~= 'hold' and ARGV[9] ~= '' then
    call('SET', prefix .. 'p:' .. ARGV[4], ARGV[9], 'PX', text(math.max(call('PTTL', KEYS[2]), SLACK)))
end
if rotates and ARGV[7] ~= '' then
    log('generation', ARGV[4], text(successor), ARGV[7], now, ARGV[8])
end
record(tokens)
return 1
