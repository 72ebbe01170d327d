-- A piece of the log after a cursor: the id of the entry read last and its nonce. Where that entry is gone or is another one, as
-- after a failover that lost it, reading starts over: an entry too many does no harm, one too few does.
--
-- KEYS: the deployment, the log, the lasting facts. ARGV from 3: the id or nothing, the nonce, the id to go on from or nothing, how
-- many. Answers whether it started over, the entries, and with the last piece the lasting facts.
local from, is_over = ARGV[5], ARGV[3] == ''
if from == '' then
    if ARGV[3] ~= '' then
        local seen = call('XRANGE', KEYS[2], ARGV[3], ARGV[3])
        is_over = not seen[1] or seen[1][2][10] ~= ARGV[4]
    end
    from = is_over and '-' or '(' .. ARGV[3]
end
local entries = call('XRANGE', KEYS[2], from, '+', 'COUNT', ARGV[6])
local facts = false
if #entries < tonumber(ARGV[6]) then
    facts = call('HGETALL', KEYS[3])
end
return { is_over and 1 or 0, entries, facts }
