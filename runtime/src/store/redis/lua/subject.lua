-- What is known of a subject, for a client: its epoch, its mark, and when it last changed.
--
-- KEYS: the deployment, the subject, the lasting facts. ARGV from 3: uid, client.
local changed = call('HGET', KEYS[2], 'changed') or '0'
return { text(epoch(ARGV[3], ARGV[4])), text(mark(ARGV[3], ARGV[4])), changed }
