"""PyJWT as the other side: verifies what a running quickstart issues, and mints what it must refuse.

    pyjwt.py ADDRESS KEYS    where the program listens, and the folder of its key ring

One line a case; the last line says how many there were. Ends with 1 where one went wrong.
"""

import base64
import hashlib
import http.server
import json
import pathlib
import sys
import threading
import time
import urllib.error
import urllib.request
import warnings

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import HMACAlgorithm

ADDRESS, KEYS = sys.argv[1], pathlib.Path(sys.argv[2])
# The name of the quickstart is the same on every port.
ISSUER = "http://127.0.0.1:3000"
# The empty secret and its like are meant.
warnings.filterwarnings("ignore", message="The HMAC key is")
PASSWORD = "correct horse battery staple"
failures, count = [], 0


def check(holds, what):
    global count
    count += 1
    print(("ok    " if holds else "WRONG ") + what)
    if not holds:
        failures.append(what)


def send(path, body=None, token=None):
    """Answers the status and the body, which is JSON where there is one."""
    request = urllib.request.Request(ADDRESS + path)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("content-type", "application/json")
    if token is not None:
        request.add_header("authorization", "Bearer " + token)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        status, text = refusal.code, refusal.read().decode()
    try:
        return status, json.loads(text)
    except ValueError:
        return status, {"text": text}


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def sign_in(email):
    status, tokens = send("/auth/signin", {"email": email, "password": PASSWORD})
    assert status == 200, tokens
    return tokens


# What the quickstart issues.

ada, grace = sign_in("ada@example.com"), sign_in("grace@example.com")
token = ada["access_token"]
header = jwt.get_unverified_header(token)
jwks = jwt.PyJWKClient(ADDRESS + "/.well-known/jwks.json")
public = jwks.get_signing_key_from_jwt(token)


def verify(token):
    return jwt.decode(
        token,
        jwks.get_signing_key_from_jwt(token),
        algorithms=["EdDSA"],
        audience="quickstart",
        issuer=ISSUER,
        options={"require": ["iss", "sub", "aud", "client_id", "exp", "iat", "jti", "sid", "auth_time"], "strict_aud": True},
    )


claims = verify(token)
check(header == {"alg": "EdDSA", "typ": "at+jwt", "kid": public.key_id}, "the header")
check(claims["email"] == "ada@example.com" and claims["roles"] == ["admin"], "the claims of the user")
check(claims["exp"] - claims["iat"] == 600 and abs(claims["iat"] - time.time()) < 60, "the times")
registered = {"iss", "sub", "aud", "client_id", "exp", "iat", "jti", "sid", "gen", "uep", "auth_time"}
check(set(claims) == registered | {"email", "roles"}, "no claim that nobody declared")
check(len(unb64(claims["jti"])) >= 16, "128 bits of jti")
x = public.key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
canonical = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": b64(x)}, separators=(",", ":"), sort_keys=True)
check(b64(hashlib.sha256(canonical.encode()).digest()) == public.key_id, "the kid is the thumbprint of RFC 7638")
status, renewed = send("/auth/refresh-access", {"refresh_token": grace["refresh_token"]})
check(status == 200 and verify(renewed["access_token"])["gen"] == 1, "a refreshed token")
for other in [{"audience": "other"}, {"issuer": "other"}]:
    try:
        jwt.decode(token, public, algorithms=["EdDSA"], **{"audience": "quickstart", "issuer": ISSUER, **other})
        check(False, f"PyJWT refuses {other}")
    except jwt.InvalidTokenError:
        check(True, f"PyJWT refuses {other}")

# What others mint. A token is a dictionary of claims, or bytes, signed by PyJWT.


class Blunt(HMACAlgorithm):
    """HMAC with any bytes as its key, as the libraries had it that fell for public keys."""

    def prepare_key(self, key):
        return key


jws = jwt.PyJWS()
for name, hash_of in [("HS256", HMACAlgorithm.SHA256), ("HS384", HMACAlgorithm.SHA384), ("HS512", HMACAlgorithm.SHA512)]:
    jws.unregister_algorithm(name)
    jws.register_algorithm(name, Blunt(hash_of))


def mint(payload, key, alg="EdDSA", **changes):
    """Signs. The header is that of a real token with changes; `None` takes a member away."""
    if not isinstance(payload, bytes):
        payload = json.dumps(payload).encode()
    head = {"typ": "at+jwt", "kid": header["kid"], **changes}
    head = {name: value for name, value in head.items() if value is not None or name == "typ"}
    return jws.encode(payload, key, algorithm=alg, headers=head)


def raw(head, payload, signature=b""):
    return ".".join([b64(json.dumps(head).encode()), b64(json.dumps(payload).encode()), b64(signature)])


def signed_raw(head, payload, key):
    """By hand: headers and payloads that PyJWT would not write."""
    head, payload = (part if isinstance(part, bytes) else json.dumps(part).encode() for part in (head, payload))
    signed = f"{b64(head)}.{b64(payload)}"
    return f"{signed}.{b64(key.sign(signed.encode()))}"


def key_of(kid):
    mark, version, use, secret = (KEYS / f"sign-{kid}.key").read_text().split()
    assert (mark, version, use) == ("tollgate-key", "1", "sign/EdDSA")
    return Ed25519PrivateKey.from_private_bytes(unb64(secret))


ours, foreign = key_of(header["kid"]), Ed25519PrivateKey.generate()
[waiting] = [key.key_id for key in jwks.get_signing_keys() if key.key_id != header["kid"]]


def jwk_of(key):
    raw_key = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "x": b64(raw_key)}


def but(**changes):
    """The claims of the real token with changes; `...` takes one away."""
    return {name: value for name, value in {**claims, **changes}.items() if value is not ...}


def accepted(what, token):
    status, body = send("/me", token=token)
    check(status == 200 and body["email"] == "ada@example.com", f"accepted: {what}")


def refused(what, token, code="invalid_token"):
    status, body = send("/me", token=token)
    echo = [part for part in token.split(".") if len(part) > 8 and part in json.dumps(body)]
    fine = (status, body.get("code")) == (401, code) and not echo
    # The other ways in judge alike.
    again = send("/auth/verify", {"token": token})
    fine &= (again[0], again[1].get("code")) == (401, code)
    status, report = send("/admin/report", token=token)
    fine &= (status, report.get("code")) == (401, code)
    check(fine, f"{code}: {what}" + ("" if fine else f" {body} {again}"))


now = int(time.time())

accepted("the claims of a real token, signed with the ring's own key", mint(claims, ours))
accepted("`aud` as a list of one", mint(but(aud=["quickstart"]), ours))
accepted("`aud` as a list that has ours", mint(but(aud=["other", "quickstart"]), ours))
accepted("claims that nobody knows", mint(but(extra={"deep": [1, {"er": None}]}, **{"https://example.com/x": "y"}), ours))
accepted("`nbf` in the past", mint(but(nbf=now - 5), ours))
accepted("`nbf` within the leeway", mint(but(nbf=now + 15), ours))
accepted("`exp` within the leeway", mint(but(iat=now - 300, exp=now - 5), ours))
accepted("`typ` as a media type", mint(claims, ours, typ="application/at+jwt"))
accepted("`typ` in capitals", mint(claims, ours, typ="AT+JWT"))
accepted("the key that signs next", mint(claims, key_of(waiting), kid=waiting))
accepted("a header that nobody knows", mint(claims, ours, whatever="else"))

refused("a foreign key under our kid", mint(claims, foreign))
refused("a foreign key under its own kid", mint(claims, foreign, kid="foreign"))
refused("a foreign key without a kid", mint(claims, foreign, kid=None))
refused("a foreign key under the kid of the key that waits", mint(claims, foreign, kid=waiting))
refused("our key under the kid of the key that waits", mint(claims, ours, kid=waiting))
refused("our key without a kid", mint(claims, ours, kid=None))
for kid in ["../../dev/null", "' OR 1=1--", header["kid"].lower(), header["kid"] + "\0", "k" * 600]:
    refused(f"our key under the kid {kid[:20]!r}", mint(claims, ours, kid=kid))
refused("a kid that is a number", signed_raw({**header, "kid": 1}, claims, ours))
refused("a kid that comes twice", signed_raw(json.dumps(header)[:-1].encode() + b',"kid":"%s"}' % header["kid"].encode(), claims, ours))

asked = []


class Bait(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"keys": [{**jwk_of(foreign), "kid": "foreign"}]}).encode())

    def log_message(self, *_):
        pass


bait = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bait)
threading.Thread(target=bait.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{bait.server_port}/keys"
for kid in ["foreign", header["kid"], None]:
    refused(f"the foreign key embedded as `jwk`, kid {kid}", mint(claims, foreign, jwk=jwk_of(foreign), kid=kid))
    refused(f"the foreign key at `jku`, kid {kid}", mint(claims, foreign, jku=url, kid=kid))
    refused(f"the foreign key at `x5u`, kid {kid}", mint(claims, foreign, x5u=url, kid=kid))
refused("the foreign key as `x5c`", mint(claims, foreign, x5c=[b64(x)]))
check(asked == [], "nobody asked where `jku` and `x5u` point")

refused("`none`", jwt.encode(claims, None, algorithm="none", headers=header | {"alg": "none"}))
for alg in ["none", "None", "nOnE", "NONE", "none ", "", None, 0, ["EdDSA"]]:
    refused(f"alg {alg!r} without a signature", raw({**header, "alg": alg}, claims))
    refused(f"alg {alg!r} with a good signature", signed_raw({**header, "alg": alg}, claims, ours))
refused("our header without a signature", raw(header, claims))
refused("a good signature without its last byte", token[:-2])
refused("a signature of another token", token.rsplit(".", 1)[0] + "." + grace["access_token"].rsplit(".", 1)[1])
refused("alg EDDSA", signed_raw({**header, "alg": "EDDSA"}, claims, ours))
refused("alg Ed25519", signed_raw({**header, "alg": "Ed25519"}, claims, ours))
refused("no alg", signed_raw({"typ": "at+jwt", "kid": header["kid"]}, claims, ours))

spki = serialization.PublicFormat.SubjectPublicKeyInfo
pem = public.key.public_bytes(serialization.Encoding.PEM, spki)
published = json.loads(urllib.request.urlopen(ADDRESS + "/.well-known/jwks.json").read())
[our_jwk] = [key for key in published["keys"] if key["kid"] == header["kid"]]
secrets = {
    "the PEM": pem,
    "the PEM without its last line feed": pem.rstrip(),
    "the DER": public.key.public_bytes(serialization.Encoding.DER, spki),
    "the raw x": x,
    "the text of x": b64(x).encode(),
    "the JWK": json.dumps(our_jwk).encode(),
    "the JWK as published": json.dumps(our_jwk, separators=(",", ":")).encode(),
    "nothing": b"",
}
for alg in ["HS256", "HS384", "HS512"]:
    for name, secret in secrets.items():
        refused(f"{alg} with {name} as its secret", mint(claims, secret, alg))
for name, secret in secrets.items():
    refused(f"EdDSA in the header, HS256 with {name} below", raw(header, claims, Blunt(Blunt.SHA256).sign(token.encode(), secret)))

for aud in ["other", "quickstar", "quickstart2", "Quickstart", "quickstart ", "", [], ["other"], [["quickstart"]], ["quickstart", 1]]:
    refused(f"aud {aud!r}", mint(but(aud=aud), ours))
for aud in [None, 1, True, {"quickstart": 1}, ...]:
    refused(f"aud {aud!r}", mint(but(aud=aud), ours))
for iss in ["https://other.example.com", ISSUER + "/", ISSUER.upper(), ISSUER[:-1], "", [ISSUER], None, 1, {}, ...]:
    refused(f"iss {iss!r}", mint(but(iss=iss), ours))
for typ in ["JWT", "jwt", "at+jwt ", "rt+jwt", "refresh+jwt", "dpop+jwt", "logout+jwt", "text/at+jwt", "application/jwt", None]:
    refused(f"typ {typ!r}", mint(claims, ours, typ=typ))
for typ in [None, 1, ["at+jwt"]]:
    refused(f"typ {typ!r}", signed_raw({**header, "typ": typ}, claims, ours))

refused("an hour too old", mint(but(iat=now - 4200, exp=now - 3600), ours), "token_expired")
refused("just too old", mint(but(iat=now - 300, exp=now - 40), ours), "token_expired")
refused("an hour too old and by a foreign key", mint(but(iat=now - 4200, exp=now - 3600), foreign))
refused("an hour too old and for another audience", mint(but(iat=now - 4200, exp=now - 3600, aud="other"), ours))
for exp in [str(now + 300), None, True, [now + 300], {}, -1, "never", ...]:
    refused(f"exp {exp!r}", mint(but(exp=exp), ours))
refused("an `exp` without end", mint(json.dumps(but(exp=0)).replace('"exp": 0', '"exp": 1e400').encode(), ours))
refused("a life longer than any", mint(but(exp=now + 7 * 86400), ours))
refused("`exp` as large as it gets", mint(but(exp=2**64 - 1), ours))
refused("`exp` larger still", mint(but(exp=2**64), ours))
for nbf in [now + 120, now + 3600, str(now - 5), None, True, -1]:
    refused(f"nbf {nbf!r}", mint(but(nbf=nbf), ours))
for iat in [now + 120, str(now), None, True, -1, ...]:
    refused(f"iat {iat!r}", mint(but(iat=iat, exp=now + 300), ours))

for crit in [[], ["exp"], ["b64"], ["whatever"], "exp", None]:
    refused(f"crit {crit!r}", signed_raw({**header, "crit": crit, "whatever": 1}, claims, ours))
refused("b64 false", signed_raw({**header, "b64": False, "crit": ["b64"]}, claims, ours))
refused("b64 false, not critical", signed_raw({**header, "b64": False}, claims, ours))
refused("zip", signed_raw({**header, "zip": "DEF"}, claims, ours))

for sub in ["", "ada@example.com", 1, None, ["a"], ...]:
    refused(f"sub {sub!r}", mint(but(sub=sub), ours))
for name in ["jti", "client_id", "uep", "email", "roles", "gen", "sid"]:
    refused(f"without `{name}`", mint(but(**{name: ...}), ours))
    refused(f"`{name}` of another type", mint(but(**{name: {"a": 1}}), ours))
refused("a role that is none", mint(but(roles=["root"]), ours))
refused("roles as text", mint(but(roles="admin"), ours))
text = json.dumps(claims).encode()
refused("`iss` twice", mint(text[:-1] + b', "iss": "%s"}' % ISSUER.encode(), ours))
refused("`sub` twice, once escaped", mint(text[:-1] + b', "su\\u0062": "%s"}' % claims["sub"].encode(), ours))
refused("a claim of nobody's twice", mint(text[:-1] + b', "z": 1, "z": 1}', ours))
for payload in [b"[]", b"null", b'"text"', b"{}", b"", text + b" x", b"\xef\xbb\xbf" + text, text.decode().encode("utf-16"), b"\xff" + text]:
    refused(f"the payload {payload[:12]!r}", mint(payload, ours))
refused("a deep payload", mint(text[:-1] + b', "z": ' + b"[" * 500 + b"]" * 500 + b"}", ours))

parts = grace["access_token"].split(".")
promoted = json.loads(unb64(parts[1])) | {"roles": ["admin"]}
refused("an editor who writes `admin` over it", ".".join([parts[0], b64(json.dumps(promoted).encode()), parts[2]]))
refused("an editor who signs `admin` over it", mint(promoted, foreign))

# Nothing of this changed anything.
check(send("/me", token=token)[0] == 200, "the real token still counts")
status, after = send("/auth/refresh-access", {"refresh_token": ada["refresh_token"]})
check(status == 200 and verify(after["access_token"])["gen"] == 1, "the session was not touched")

for failure in failures:
    print("WRONG", failure, file=sys.stderr)
print(f"{count} cases, {len(failures)} wrong")
sys.exit(bool(failures))
