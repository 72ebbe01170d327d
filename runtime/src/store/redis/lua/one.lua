-- KEYS: the deployment, the session. ARGV from 3: sid.
return read(ARGV[3])
