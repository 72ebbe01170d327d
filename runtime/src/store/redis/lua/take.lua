-- Takes a payload out, or answers false.
--
-- KEYS: the deployment, the index of what ends, the place. ARGV from 3: now, the place's name.
local payload = payload_at(ARGV[4], tonumber(ARGV[3]))
if payload then
    take(ARGV[4])
end
return payload
