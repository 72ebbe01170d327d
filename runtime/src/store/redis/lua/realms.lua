-- KEYS: the deployment, the realms.
return call('HGETALL', KEYS[2])
