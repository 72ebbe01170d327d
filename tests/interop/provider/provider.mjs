// A real OpenID provider: signs a user in over HTTP as a browser would, and prints its address and
// what it issued, as one line of JSON; then it goes on serving its keys until its input ends.
import { createServer } from 'node:http';
import { once } from 'node:events';
import Provider from 'oidc-provider';

const API = 'https://api.example.com';
const CALLBACK = 'https://app.example.com/callback';

const server = createServer();
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'app',
      client_secret: 'secret',
      grant_types: ['authorization_code', 'client_credentials'],
      redirect_uris: [CALLBACK],
    },
  ],
  cookies: { keys: ['a key of a test'] },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        scope: 'read',
        audience: API,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
      useGrantedResource: () => true,
    },
  },
});
server.on('request', provider.callback());

// A jar of cookies, by name.
const jar = new Map();
async function ask(url, options = {}) {
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
  const headers = { cookie, ...options.headers };
  const answer = await fetch(url, { ...options, headers, redirect: 'manual' });
  for (const line of answer.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
    if (value) jar.set(name, value);
    else jar.delete(name);
  }
  return answer;
}

const form = (members) => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams(members).toString(),
});
const asClient = (members) => {
  const options = form(members);
  options.headers.authorization = `Basic ${btoa('app:secret')}`;
  return options;
};

async function signIn() {
  const query = new URLSearchParams({
    client_id: 'app',
    response_type: 'code',
    scope: 'openid read',
    resource: API,
    redirect_uri: CALLBACK,
    nonce: 'a-nonce',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  });
  let url = `${issuer}/auth?${query}`;
  for (let step = 0; step < 12; step += 1) {
    let answer = await ask(url);
    if (answer.status === 200) {
      const page = await answer.text();
      const prompt = /name="prompt" value="([a-z]+)"/.exec(page)[1];
      answer = await ask(url, form({ prompt, login: 'alice', password: 'any' }));
    }
    const next = answer.headers.get('location');
    if (!next) throw new Error(`${answer.status} at ${url}: ${await answer.text()}`);
    url = new URL(next, issuer).href;
    if (url.startsWith(CALLBACK)) return new URL(url).searchParams.get('code');
  }
  throw new Error('the sign-in does not end');
}

const token = async (members) => {
  const answer = await ask(`${issuer}/token`, asClient(members));
  if (answer.status !== 200) throw new Error(await answer.text());
  return answer.json();
};
const user = await token({
  grant_type: 'authorization_code',
  code: await signIn(),
  redirect_uri: CALLBACK,
  code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
  resource: API,
});
const machine = await token({ grant_type: 'client_credentials', scope: 'read', resource: API });

console.log(JSON.stringify({ issuer, access: user.access_token, id: user.id_token, machine: machine.access_token }));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
