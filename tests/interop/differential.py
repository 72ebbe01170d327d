"""PyJWT and jwcrypto as judges of many tokens: reads them as JSON, writes which they accept.

    python differential.py PyJWT|jwcrypto < work.json

The work is {"alg", "key", "issuer", "audience", "tokens"}; the answer is a text of 1 and 0.
"""

import json
import sys

import jwt
from jwcrypto import jwk
from jwcrypto import jwt as jwc

work = json.load(sys.stdin)
alg, issuer, audience = work["alg"], work["issuer"], work["audience"]


def pyjwt():
    key = jwt.get_algorithm_by_name(alg).from_jwk(json.dumps(work["key"]))
    options = {"require": ["exp", "iat", "iss", "aud", "sub"]}

    def accepts(token):
        claims = jwt.decode(
            token, key, algorithms=[alg], issuer=issuer, audience=audience, options=options
        )
        return isinstance(claims, dict)

    return accepts


def jwcrypto():
    key = jwk.JWK(**work["key"])
    wanted = {"iss": issuer, "aud": audience, "exp": None, "sub": None, "iat": None}

    def accepts(token):
        read = jwc.JWT(algs=[alg], check_claims=wanted)
        read.leeway = 0
        read.deserialize(token, key)
        return isinstance(json.loads(read.claims), dict)

    return accepts


accepts = {"PyJWT": pyjwt, "jwcrypto": jwcrypto}[sys.argv[1]]()


def judged(token):
    # Whatever error a library raises, it does not accept the token.
    try:
        return "1" if accepts(token) else "0"
    except Exception:
        return "0"


print(json.dumps("".join(judged(token) for token in work["tokens"])))
