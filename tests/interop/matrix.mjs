// jose as issuer and verifier: reads what to do as JSON, writes what came of it.
//
//     node matrix.mjs < work.json         {"sign": [...], "verify": [...], "jwe": ...}

import * as jose from "jose";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const work = JSON.parse(Buffer.concat(chunks).toString());

async function sign({ alg, key, header, payload }) {
  const token = new jose.SignJWT(payload).setProtectedHeader({ alg, ...header });
  return token.sign(await jose.importJWK(key, alg));
}

async function holds({ alg, key, token }) {
  const imported = await jose.importJWK(key, alg);
  return jose.compactVerify(token, imported, { algorithms: [alg] }).then(() => true, () => false);
}

// Reads an encrypted token with its key, and makes others around the same signed one.
async function envelope({ k, token }) {
  const key = jose.base64url.decode(k);
  const { plaintext, protectedHeader: header } = await jose.compactDecrypt(token, key);
  const make = (head, secret = key, inner = plaintext) => new jose.CompactEncrypt(inner).setProtectedHeader(head).encrypt(secret);
  const good = await make(header);
  const bad = {
    "under another key": await make(header, new Uint8Array(32)),
    "A256CBC-HS512": await make({ ...header, enc: "A256CBC-HS512" }, new Uint8Array(64)),
    A256KW: await make({ ...header, alg: "A256KW" }),
    "without a content type": await make({ ...header, cty: undefined }),
    "around nothing": await make(header, key, new TextEncoder().encode("{}")),
  };
  const parts = good.split(".");
  for (const at of [0, 2, 3, 4]) {
    const raw = jose.base64url.decode(parts[at]);
    raw[raw.length >> 1] ^= 1;
    bad[`with a bit of part ${at} turned`] = parts.map((part, i) => (i === at ? jose.base64url.encode(raw) : part)).join(".");
  }
  return { plain: new TextDecoder().decode(plaintext), good, bad };
}

const signed = [];
for (const one of work.sign ?? []) signed.push(await sign(one));
const held = [];
for (const one of work.verify ?? []) held.push(await holds(one));
console.log(JSON.stringify({ signed, held, jwe: work.jwe ? await envelope(work.jwe) : null }));
