// jose as the other side: verifies what a running quickstart issues, and mints what it must refuse.
//
//     node jose.mjs ADDRESS
//
// One line a case; the last line says how many there were. Ends with 1 where one went wrong.

import assert from "node:assert";
import * as jose from "jose";

const address = process.argv[2];
// The name of the quickstart is the same on every port.
const issuer = "http://127.0.0.1:3000";
let count = 0;
let wrong = 0;

function check(holds, what) {
  count += 1;
  wrong += holds ? 0 : 1;
  console.log(`${holds ? "ok   " : "WRONG"} ${what}`);
}

async function post(path, body) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(address + path, { method: "POST", headers, body: JSON.stringify(body) });
  assert.strictEqual(answer.status, 200);
  return answer.json();
}

async function refused(what, token) {
  const answer = await fetch(`${address}/me`, { headers: { authorization: `Bearer ${token}` } });
  check(answer.status === 401 && (await answer.json()).code === "invalid_token", `refused: ${what}`);
}

const signedIn = await post("/auth/signin", { email: "ada@example.com", password: "correct horse battery staple" });
const renewed = await post("/auth/refresh-access", { refresh_token: signedIn.refresh_token });

const keys = jose.createRemoteJWKSet(new URL(`${address}/.well-known/jwks.json`));
const expected = { issuer, audience: "quickstart", typ: "at+jwt", algorithms: ["EdDSA"], requiredClaims: ["jti", "sid"] };
for (const { access_token: token } of [signedIn, renewed]) {
  const { payload } = await jose.jwtVerify(token, keys, expected);
  check(payload.email === "ada@example.com" && payload.roles[0] === "admin", "jose verifies the token");
}
await jose.jwtVerify(signedIn.access_token, keys, { ...expected, audience: "other" }).then(
  () => check(false, "jose refuses another audience"),
  () => check(true, "jose refuses another audience"),
);

const claims = jose.decodeJwt(signedIn.access_token);
const header = jose.decodeProtectedHeader(signedIn.access_token);
const published = (await (await fetch(`${address}/.well-known/jwks.json`)).json()).keys;
const ours = published.find((key) => key.kid === header.kid);
check((await jose.calculateJwkThumbprint(ours)) === header.kid, "the kid is the thumbprint of RFC 7638");
for (const key of published) {
  check((await jose.importJWK(key)).type === "public", "a published key is public");
}

const foreign = await jose.generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
const jwk = await jose.exportJWK(foreign.publicKey);
const sign = (head, key = foreign.privateKey) => new jose.SignJWT(claims).setProtectedHeader({ ...header, ...head }).sign(key);
await refused("a foreign key under our kid", await sign({}));
await refused("a foreign key under its own kid", await sign({ kid: await jose.calculateJwkThumbprint(jwk) }));
await refused("a foreign key embedded as `jwk`", await sign({ jwk }));
await refused("none", new jose.UnsecuredJWT(claims).encode());
const texts = [jose.base64url.decode(ours.x), new TextEncoder().encode(JSON.stringify(ours))];
texts.push(new TextEncoder().encode(await jose.exportSPKI(await jose.importJWK(ours))));
for (const secret of texts) {
  await refused("HS256 with the public key as its secret", await sign({ alg: "HS256" }, secret));
}
const jwe = new jose.EncryptJWT(claims).setProtectedHeader({ ...header, alg: "dir", enc: "A256GCM" });
await refused("an encrypted token", await jwe.encrypt(new Uint8Array(32)));
const json = await new jose.GeneralSign(new TextEncoder().encode(JSON.stringify(claims)))
  .addSignature(foreign.privateKey)
  .setProtectedHeader(header)
  .sign();
await refused("the JSON serialization", JSON.stringify(json));

console.log(`${count} cases, ${wrong} wrong`);
process.exit(wrong ? 1 : 0);
