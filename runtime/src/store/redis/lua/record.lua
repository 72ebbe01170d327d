-- Writing the token registry.

-- Writes the rows that ARGV holds from `at` on, their number first; one whose id is there already is left as it is. Answers how
-- many were new.
local function record(at)
    local new = 0
    for i = at + 1, at + tonumber(ARGV[at]) * 10, 10 do
        local jti, sid, parent, issued = ARGV[i], ARGV[i + 2], ARGV[i + 4], ARGV[i + 7]
        local key = prefix .. 't:' .. jti
        if call('EXISTS', key) == 0 then
            call('HSET', key, 'kind', ARGV[i + 1], 'sid', sid, 'gen', ARGV[i + 3], 'parent', parent, 'subject', ARGV[i + 5],
                'device', ARGV[i + 6], 'issued', issued, 'expires', ARGV[i + 8], 'revoked', ARGV[i + 9])
            call('ZADD', prefix .. 'tokens', issued, jti)
            call('ZADD', prefix .. 'ending', ARGV[i + 8], jti)
            call('ZADD', prefix .. 'ts:' .. ARGV[i + 5], issued, jti)
            if sid ~= '' then
                call('ZADD', prefix .. 'tn:' .. sid, issued, jti)
            end
            if parent ~= '' then
                call('SADD', prefix .. 'tc:' .. parent, jti)
            end
            new = new + 1
        end
    end
    return new
end
