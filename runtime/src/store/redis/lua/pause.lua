-- Pauses or resumes. The value is the version, doubled, plus one while paused.
--
-- KEYS: the deployment, the log, the lasting facts. ARGV from 3: now, 1 or 0, a nonce.
local version = math.floor(lasting('pause:') / 2) + 1
log('pause', '', text(version * 2 + tonumber(ARGV[4])), '0', tonumber(ARGV[3]), ARGV[5])
return 1
