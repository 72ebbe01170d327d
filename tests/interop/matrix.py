"""PyJWT and jwcrypto as issuers and verifiers: reads what to do as JSON, writes what came of it.

    python matrix.py keys                        two private keys for each algorithm, as JWK and PEM
    python matrix.py PyJWT|jwcrypto < work.json  {"sign": [...], "verify": [...], "jwe": ...}
"""

import base64
import json
import sys

import jwt
from jwcrypto import jwe, jwk, jws

KINDS = {
    "HS256": dict(kty="oct", size=256), "HS384": dict(kty="oct", size=384), "HS512": dict(kty="oct", size=512),
    "RS256": dict(kty="RSA", size=2048), "RS384": dict(kty="RSA", size=2048), "RS512": dict(kty="RSA", size=2048),
    "PS256": dict(kty="RSA", size=2048), "PS384": dict(kty="RSA", size=2048), "PS512": dict(kty="RSA", size=2048),
    "ES256": dict(kty="EC", crv="P-256"), "ES384": dict(kty="EC", crv="P-384"), "EdDSA": dict(kty="OKP", crv="Ed25519"),
}


def keys():
    made, rsa = {}, [jwk.JWK.generate(kty="RSA", size=2048) for _ in range(2)]
    for alg, kind in KINDS.items():
        pair = []
        for at in range(2):
            # RSA keys take long to make. Nobody but this test uses one for several algorithms.
            key = rsa[at] if kind["kty"] == "RSA" else jwk.JWK.generate(**kind)
            key = jwk.JWK(**{**key.export(as_dict=True), "alg": alg, "use": "sig", "kid": f"of {alg}"})
            pem = None if kind["kty"] == "oct" else key.export_to_pem(private_key=True, password=None).decode()
            public = None if kind["kty"] == "oct" else key.export_public(as_dict=True)
            pair.append({"jwk": key.export(as_dict=True), "public": public, "pem": pem})
        made[alg] = pair
    return made


class PyJWT:
    @staticmethod
    def key(alg, key):
        return jwt.get_algorithm_by_name(alg).from_jwk(json.dumps(key))

    @classmethod
    def sign(cls, alg, key, header, payload):
        return jwt.encode(payload, cls.key(alg, key), algorithm=alg, headers=header)

    @classmethod
    def holds(cls, alg, key, token):
        try:
            jwt.PyJWS().decode(token, cls.key(alg, key), algorithms=[alg])
            return True
        except jwt.PyJWTError:
            return False


class jwcrypto:
    @staticmethod
    def sign(alg, key, header, payload):
        token = jws.JWS(json.dumps(payload))
        token.add_signature(jwk.JWK(**key), alg=alg, protected=json.dumps({"alg": alg, **header}))
        return token.serialize(compact=True)

    @staticmethod
    def holds(alg, key, token):
        try:
            read = jws.JWS()
            read.deserialize(token)
            read.verify(jwk.JWK(**key), alg=alg)
            return True
        except (jws.InvalidJWSSignature, jws.InvalidJWSObject):
            return False


def envelope(work):
    """Reads an encrypted token with its key, and makes others around the same signed one."""
    key = jwk.JWK(kty="oct", k=work["k"])
    read = jwe.JWE()
    read.deserialize(work["token"], key)
    inner = read.payload
    header = json.loads(read.objects["protected"])

    def make(head, key=key, inner=inner):
        token = jwe.JWE(inner, json.dumps(head))
        token.add_recipient(key)
        return token.serialize(compact=True)

    good = make(header)
    parts = good.split(".")
    bad = {
        "compressed": make({**header, "zip": "DEF"}),
        "under another key": make(header, jwk.JWK.generate(kty="oct", size=256)),
        "A128CBC-HS256": make({**header, "enc": "A128CBC-HS256"}),
        "A256GCMKW": make({**header, "alg": "A256GCMKW"}),
        "with another content type": make({**header, "cty": "text"}),
        "around nothing": make(header, inner=b"{}"),
        "twice encrypted": make(header, inner=good.encode()),
    }
    for at in [0, 2, 3, 4]:
        raw = bytearray(base64.urlsafe_b64decode(parts[at] + "=="))
        raw[len(raw) // 2] ^= 1
        text = base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()
        bad[f"with a bit of part {at} turned"] = ".".join([*parts[:at], text, *parts[at + 1:]])
    bad["with a key inside"] = ".".join([parts[0], "AAAA", *parts[2:]])
    return {"plain": inner.decode(), "good": good, "bad": bad}


if sys.argv[1] == "keys":
    print(json.dumps(keys()))
else:
    library, work = {"PyJWT": PyJWT, "jwcrypto": jwcrypto}[sys.argv[1]], json.load(sys.stdin)
    print(json.dumps({
        "signed": [library.sign(**one) for one in work.get("sign", [])],
        "held": [library.holds(**one) for one in work.get("verify", [])],
        "jwe": envelope(work["jwe"]) if work.get("jwe") else None,
    }))
