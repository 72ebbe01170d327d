-- Replaces the ring at a version.
--
-- KEYS: the deployment, the ring. ARGV from 3: the version as read, the next one, the ring.
if (call('HGET', KEYS[2], 'version') or '0') ~= ARGV[3] then
    return 0
end
call('HSET', KEYS[2], 'version', ARGV[4], 'ring', ARGV[5])
return 1
