-- KEYS: the deployment, the subject, the lasting facts. ARGV from 3: uid, client.
return text(epoch(ARGV[3], ARGV[4]))
