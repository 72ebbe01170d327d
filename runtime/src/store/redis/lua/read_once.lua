-- Reads a payload that may be taken, or answers false.
--
-- KEYS: the deployment, the place. ARGV from 3: now, the place's name.
return payload_at(ARGV[4], tonumber(ARGV[3]))
