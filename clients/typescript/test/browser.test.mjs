// Two tabs of a real browser on a program that runs: `API` says where, `CHROMIUM` which browser. `COOKIES_API` is a program with
// cookies and a second factor, whose `/tab` has a client that uses them.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { test } from "node:test";

import { chromium } from "./chromium.mjs";

const { API, CHROMIUM, COOKIES_API } = process.env;
const skip = API === undefined || CHROMIUM === undefined ? "API or CHROMIUM is not set" : false;
const PAGE = `<!doctype html><title>a tab</title><script type="module">
  import { Client, SignedOut } from "/dist/index.js";
  globalThis.SignedOut = SignedOut;
  globalThis.heard = [];
  globalThis.client = new Client({ url: location.origin });
  client.watch((isSignedIn) => heard.push(isSignedIn));
</script>`;

/** The page and the API under one origin, and what went through. */
async function site() {
  const seen = { refreshes: 0, together: 0, most: 0 };
  const server = createServer(async (request, response) => {
    try {
      if (request.url === "/") return response.writeHead(200, { "content-type": "text/html" }).end(PAGE);
      if (request.url.startsWith("/dist/")) {
        const file = await readFile(new URL(`..${request.url}`, import.meta.url));
        return response.writeHead(200, { "content-type": "text/javascript" }).end(file);
      }
      const isRefresh = request.url === "/auth/refresh-access";
      seen.refreshes += Number(isRefresh);
      seen.together += Number(isRefresh);
      seen.most = Math.max(seen.most, seen.together);
      const body = [];
      for await (const piece of request) body.push(piece);
      const { "content-type": type, authorization } = request.headers;
      const answer = await fetch(API + request.url, {
        method: request.method,
        headers: { ...(type && { "content-type": type }), ...(authorization && { authorization }) },
        ...(body.length > 0 && { body: Buffer.concat(body) }),
      });
      // A refresh takes a while, so that tabs that race would meet.
      if (isRefresh) await new Promise((done) => setTimeout(done, 100));
      seen.together -= Number(isRefresh);
      const headers = Object.fromEntries(["content-type", "www-authenticate", "retry-after"].flatMap((name) => {
        const value = answer.headers.get(name);
        return value === null ? [] : [[name, value]];
      }));
      return response.writeHead(answer.status, headers).end(Buffer.from(await answer.arrayBuffer()));
    } catch (error) {
      return response.writeHead(500).end(String(error));
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { seen, server, url: `http://127.0.0.1:${server.address().port}/` };
}

test("two tabs of a browser refresh one at a time, hear of each other, and sign out together", { skip, timeout: 60_000 }, async () => {
  const { seen, server, url } = await site();
  const browser = await chromium(CHROMIUM);
  try {
    const tabs = [await browser.open(url), await browser.open(url)];
    assert.equal(await tabs[0].run("typeof navigator.locks.request"), "function");
    await tabs[0].run(`client.signIn({ email: "ada@example.com", password: "correct horse battery staple" })`);
    assert.equal(await tabs[1].run("client.isSignedIn"), true);

    const live = `(async () => {
      const statuses = new Set(), tokens = new Set();
      for (const end = Date.now() + 4_000; Date.now() < end; ) {
        const answers = await Promise.all(Array.from({ length: 5 }, () => client.fetch("/me")));
        for (const { status } of answers) statuses.add(status);
        tokens.add(await client.accessToken());
        await new Promise((done) => setTimeout(done, 20));
      }
      return { statuses: [...statuses], tokens: [...tokens] };
    })()`;
    const lives = await Promise.all(tabs.map((tab) => tab.run(live)));
    for (const { statuses } of lives) assert.deepEqual(statuses, [200]);
    const tokens = new Set(lives.flatMap((life) => life.tokens));
    assert.ok(tokens.size >= 3, `${tokens.size} access tokens`);
    assert.equal(seen.most, 1, "two refreshes were under way at once");
    assert.ok(seen.refreshes <= tokens.size, `${seen.refreshes} refreshes for ${tokens.size} access tokens`);

    await tabs[1].run("client.signOut()");
    assert.equal(await tabs[0].run(`client.fetch("/me").then(() => "in", (error) => error.name)`), "SignedOut");
    assert.equal(await tabs[0].run("heard.at(-1)"), false);
    assert.equal(await tabs[0].run("localStorage.length"), 0);
    console.log(`${seen.refreshes} refreshes in two tabs of ${CHROMIUM}, never two at once`);
  } finally {
    await browser.close();
    server.close();
    server.closeAllConnections();
  }
});

test("with cookies no script has a token, a code is asked for, and two tabs renew for each other", { skip: COOKIES_API === undefined ? "COOKIES_API is not set" : skip, timeout: 60_000 }, async () => {
  const url = COOKIES_API.replace("127.0.0.1", "localhost");
  const browser = await chromium(CHROMIUM);
  try {
    const tabs = [await browser.open(`${url}/tab`), await browser.open(`${url}/tab`)];
    const outcome = (call) => `${call}.then(() => "in", (error) => {
      globalThis.needed = error;
      return [error.name, error.step, error.isAgain];
    })`;
    const grace = JSON.stringify({ email: "grace@example.com", password: "correct horse battery staple" });
    assert.deepEqual(await tabs[0].run(outcome(`client.signIn(${grace})`)), ["StepNeeded", "code", false]);
    assert.deepEqual(await tabs[0].run(outcome(`client.step(needed, { code: "no code" })`)), ["StepNeeded", "code", true]);
    assert.equal(await tabs[1].run("client.isSignedIn"), false);
    const code = JSON.stringify(await (await fetch(`${COOKIES_API}/letter`)).text());
    assert.equal(await tabs[0].run(outcome(`client.step(needed, { code: ${code} })`)), "in");
    assert.equal(await tabs[1].run("client.isSignedIn"), true);
    const kept = await tabs[0].run("[document.cookie, JSON.stringify({ ...localStorage })]");
    assert.equal(kept[0], "");
    assert.ok(!/eyJ|tgr1_/.test(kept[1]), kept[1]);

    // The access cookies live for two seconds.
    const live = `(async () => {
      const statuses = new Set();
      for (const end = Date.now() + 4_000; Date.now() < end; ) {
        for (const { status } of await Promise.all([client.fetch("/me"), client.fetch("/me")])) statuses.add(status);
        await new Promise((done) => setTimeout(done, 50));
      }
      return [...statuses];
    })()`;
    assert.deepEqual(await Promise.all(tabs.map((tab) => tab.run(live))), [[200], [200]]);
    const renewals = await Promise.all(tabs.map((tab) => tab.run(`performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/refresh-access")).length`)));
    assert.ok(renewals[0] + renewals[1] >= 2, `${renewals} renewals`);

    await tabs[1].run("client.signOut()");
    assert.equal(await tabs[0].run(`client.fetch("/me").then(() => "in", (error) => error.name)`), "SignedOut");
  } finally {
    await browser.close();
  }
});
