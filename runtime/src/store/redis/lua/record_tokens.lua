-- KEYS: the deployment. ARGV from 3: the tokens.
return record(3)
