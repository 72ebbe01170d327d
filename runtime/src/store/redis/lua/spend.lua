-- Spends from a budget under every limit, or from none: the generic cell rate algorithm. Answers -1, or how long to wait.
--
-- KEYS: the deployment, the index of budgets, the budgets. ARGV from 3: now, then of each limit its budget's name, burst, period, and
-- what the cost takes: whole milliseconds and a fraction of one in `burst`-ths. All sums stay below 2^53, so they are exact.
local now, spent, wait = tonumber(ARGV[3]), {}, -1
for i = 3, #KEYS do
    local at = 4 + (i - 3) * 5
    local burst, period = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
    local full, fraction = now, 0
    local stored = call('GET', KEYS[i])
    if stored then
        local whole, rest = string.match(stored, '^(%d+) (%d+)$')
        if tonumber(whole) >= now then
            full, fraction = tonumber(whole), tonumber(rest)
        end
    end
    full, fraction = full + tonumber(ARGV[at + 3]), fraction + tonumber(ARGV[at + 4])
    if fraction >= burst then
        full, fraction = full + 1, fraction - burst
    end
    local over = full - now - period
    if over > 0 or over == 0 and fraction > 0 then
        wait = math.max(wait, over + (fraction > 0 and 1 or 0))
    end
    spent[i] = { ARGV[at], full, fraction }
end
if wait >= 0 then
    return text(wait)
end
for i = 3, #KEYS do
    local name, full, fraction = unpack(spent[i])
    call('SET', KEYS[i], text(full) .. ' ' .. text(fraction))
    let_vanish(KEYS[i], full, now)
    call('ZADD', KEYS[2], text(full), name)
end
if #KEYS > 2 then
    tidy(KEYS[2], 'b:', now)
end
return '-1'
