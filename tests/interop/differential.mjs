// jose as a judge of many tokens: reads them as JSON, writes which it accepts.
//
//     node differential.mjs < work.json    {"alg", "key", "issuer", "audience", "tokens"}

import * as jose from "jose";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { alg, key, issuer, audience, tokens } = JSON.parse(Buffer.concat(chunks).toString());
const imported = await jose.importJWK(key, alg);
const requiredClaims = ["exp", "iat", "iss", "aud", "sub"];
const options = { algorithms: [alg], issuer, audience, requiredClaims };

let said = "";
for (const token of tokens) {
  said += await jose.jwtVerify(token, imported, options).then(() => "1", () => "0");
}
console.log(JSON.stringify(said));
