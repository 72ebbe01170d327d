-- KEYS: the deployment, the ring.
return call('HMGET', KEYS[2], 'version', 'ring')
