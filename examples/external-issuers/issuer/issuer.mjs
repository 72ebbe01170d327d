// A small issuer: a discovery document, a key set, tokens, and a rotation of keys. Everything in it is another library's.
//
//   npm install && node issuer.mjs 4000
//
// GET  /.well-known/openid-configuration
// GET  /jwks
// POST /token?sub=…&scope=…   an access token (RFC 9068) for https://orders.example.com, alive for an hour
// POST /publish               makes the next key, and publishes it
// POST /rotate                signs with it from here on; the key before stays published
// POST /retire                publishes the key that signs, and no other
import { createServer } from 'node:http'
import { SignJWT, calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'

const ALGORITHM = 'ES256'

async function makeKey() {
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM)
  const jwk = await exportJWK(publicKey)
  const kid = await calculateJwkThumbprint(jwk)
  return { kid, privateKey, jwk: { ...jwk, kid, alg: ALGORITHM, use: 'sig' } }
}

let current = await makeKey()
let next
let published = [current]
let fetched = 0

const server = createServer(async (request, response) => {
  const issuer = `http://${request.headers.host}`
  const url = new URL(request.url, issuer)
  const say = (status, body) => {
    const text = JSON.stringify(body)
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    response.end(text)
  }
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /.well-known/openid-configuration':
      return say(200, { issuer, jwks_uri: `${issuer}/jwks` })
    case 'GET /jwks':
      fetched += 1
      return say(200, { keys: published.map((key) => key.jwk) })
    case 'GET /fetched':
      return say(200, fetched)
    case 'POST /token': {
      const token = await new SignJWT({ scope: url.searchParams.get('scope') ?? '', client_id: 'demo' })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'at+jwt', kid: current.kid })
        .setIssuer(issuer)
        .setSubject(url.searchParams.get('sub') ?? 'ada')
        .setAudience('https://orders.example.com')
        .setJti(crypto.randomUUID())
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(current.privateKey)
      return say(200, { access_token: token, kid: current.kid })
    }
    case 'POST /publish':
      next = await makeKey()
      published = [current, next]
      return say(200, { kid: next.kid })
    case 'POST /rotate':
      next ??= await makeKey()
      published = [current, next]
      current = next
      next = undefined
      return say(200, { kid: current.kid })
    case 'POST /retire':
      published = [current]
      return say(200, { kid: current.kid })
    default:
      return say(404, {})
  }
})

server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))
