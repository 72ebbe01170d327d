-- Writes the record of a realm, where no record was written since they were read.
--
-- KEYS: the deployment, the realms. ARGV from 3: the version as read, the next one, the realm, its record.
if (call('HGET', KEYS[2], 'version') or '0') ~= ARGV[3] then
    return 0
end
call('HSET', KEYS[2], 'version', ARGV[4], ARGV[5], ARGV[6])
return 1
