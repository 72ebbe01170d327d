// What the client promises, against a gate that is a function.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Refused, SignedOut, StepNeeded, Unavailable } from "../dist/index.js";
import { CREDENTIALS, locks, noLocks, pass, storage, world } from "./fakes.mjs";

const problem = (it, status, code, headers) => () => it.json(status, { code, status, title: code }, headers);

test("twenty requests in each of three tabs are one refresh", async () => {
  const it = world();
  const tabs = [it.tab(), it.tab(), it.tab()];
  await tabs[0].signIn(CREDENTIALS);
  it.time += 590_000;
  const answers = await Promise.all(tabs.flatMap((tab) => Array.from({ length: 20 }, () => tab.fetch("/me"))));
  assert.deepEqual(it.presented(), ["r1"]);
  for (const answer of answers) assert.equal((await answer.json()).authorization, "Bearer a2");
});

test("a token that is good for a while is not refreshed", async () => {
  const it = world();
  const tab = it.tab();
  await tab.signIn(CREDENTIALS);
  it.time += 569_000;
  assert.equal(await tab.accessToken(), "a1");
  it.time += 2_000;
  assert.equal(await tab.accessToken(), "a2");
});

test("a token that lives shortly is not refreshed all the time", async () => {
  const it = world({ ttl: 10 });
  const tab = it.tab();
  await tab.signIn(CREDENTIALS);
  it.time += 4_000;
  assert.equal(await tab.accessToken(), "a1");
  it.time += 2_000;
  assert.equal(await tab.accessToken(), "a2");
});

test("the answer is stored before it is used", async () => {
  const it = world();
  const tab = it.tab();
  await tab.signIn(CREDENTIALS);
  it.time += 600_000;
  it.journal.length = 0;
  await tab.fetch("/me");
  assert.deepEqual(it.journal, ["POST /auth/refresh-access", "stored", "GET /me"]);
});

test("a refresh is given up after half a window, and tried again with the same token", async () => {
  const it = world();
  const tab = it.tab({ window: 60, tries: 3 });
  await tab.signIn(CREDENTIALS);
  it.time += 600_000;
  let aborted = 0;
  const silent = ({ init }) =>
    new Promise((_, reject) => {
      init.signal.addEventListener("abort", () => {
        aborted += 1;
        reject(init.signal.reason);
      });
    });
  it.answers.push(silent, silent);
  const start = performance.now();
  assert.equal(await tab.accessToken(), "a2");
  const spent = performance.now() - start;
  assert.equal(aborted, 2);
  assert.ok(spent >= 55, `${spent} ms`);
  assert.deepEqual(it.presented(), ["r1", "r1", "r1"]);
});

test("half an answer is none", async () => {
  const it = world();
  const tab = it.tab();
  await tab.signIn(CREDENTIALS);
  it.time += 600_000;
  it.answers.push(() => new Response('{"access_token": "a9", "refr', { status: 200 }));
  assert.equal(await tab.accessToken(), "a2");
  assert.deepEqual(it.presented(), ["r1", "r1"]);
});

test("an answer that comes after a sleep is not used", async () => {
  const it = world();
  const tab = it.tab();
  await tab.signIn(CREDENTIALS);
  it.time += 600_000;
  it.answers.push(() => {
    it.time += 3_600_000;
    return it.json(200, { access_token: "late", refresh_token: "late", expires_in: 600 });
  });
  assert.equal(await tab.accessToken(), "a2");
  assert.deepEqual(it.presented(), ["r1", "r1"]);
});

test("503 and 429 are tried again when the server says, with the same token", async () => {
  const it = world();
  const tab = it.tab();
  await tab.signIn(CREDENTIALS);
  it.time += 600_000;
  it.answers.push(problem(it, 503, "unavailable", { "retry-after": "3" }), problem(it, 429, "too_many_requests", { "retry-after": "7" }));
  assert.equal(await tab.accessToken(), "a2");
  assert.deepEqual(it.waits, [3_000, 7_000]);
  assert.deepEqual(it.presented(), ["r1", "r1", "r1"]);
});

test("a server that stays away costs nobody the session", async () => {
  const it = world();
  const tab = it.tab({ tries: 3 });
  await tab.signIn(CREDENTIALS);
  it.time += 600_000;
  it.answers.push(problem(it, 503, "unavailable"), () => Promise.reject(new TypeError("no network")), problem(it, 503, "unavailable", { "retry-after": "9" }));
  await assert.rejects(tab.accessToken(), (error) => error instanceof Unavailable && error.retryAfter === 9_000);
  assert.equal(it.storage.tokens().refresh, "r1");
  assert.equal(await tab.accessToken(), "a2");
});

test("a session that is over is forgotten, for all tabs", async () => {
  const it = world();
  const [one, two] = [it.tab(), it.tab()];
  await one.signIn(CREDENTIALS);
  it.time += 600_000;
  it.answers.push(problem(it, 401, "invalid_grant"));
  const outcomes = await Promise.allSettled([one.accessToken(), two.accessToken()]);
  for (const { reason } of outcomes) assert.ok(reason instanceof SignedOut, String(reason));
  assert.equal(it.presented().length, 1);
  assert.equal(two.isSignedIn, false);
});

test("a sign-in waits for the refresh of another tab, and its tokens stay", async () => {
  const it = world();
  const [one, two] = [it.tab(), it.tab()];
  await one.signIn(CREDENTIALS);
  it.time += 600_000;
  let answer;
  it.answers.push(() => new Promise((done) => (answer = () => done(it.tokens()))));
  const refreshing = one.accessToken();
  await pass();
  const signingIn = two.signIn(CREDENTIALS);
  await pass();
  assert.equal(it.requests.at(-1).pathname, "/auth/refresh-access", "the sign-in did not wait");
  answer();
  await Promise.all([refreshing, signingIn]);
  assert.deepEqual([it.requests.at(-1).pathname, it.storage.tokens().refresh], ["/auth/signin", "r3"]);
});

test("a refresh waits for the sign-in of another tab, and does not happen", async () => {
  const it = world();
  const [one, two] = [it.tab(), it.tab()];
  await one.signIn(CREDENTIALS);
  it.time += 600_000;
  const signingIn = two.signIn(CREDENTIALS);
  const token = one.accessToken();
  await signingIn;
  assert.equal(await token, "a2");
  assert.deepEqual(it.presented(), []);
});

test("without locks an answer does not write over what came meanwhile", async () => {
  const it = world();
  const [one, two] = [it.tab({ locks: noLocks() }), it.tab({ locks: noLocks() })];
  await one.signIn(CREDENTIALS);
  it.time += 600_000;
  for (const outcome of [() => it.json(200, { access_token: "old", refresh_token: "old", expires_in: 600 }), problem(it, 401, "invalid_grant")]) {
    let answer;
    it.answers.push(() => new Promise((done) => (answer = () => done(outcome()))));
    const refreshing = one.accessToken();
    await pass();
    await two.signIn(CREDENTIALS);
    const signedIn = it.storage.tokens();
    answer();
    assert.equal(await refreshing, signedIn.access);
    assert.deepEqual(it.storage.tokens(), signedIn);
    it.time += 600_000;
  }
});

test("somebody who signs out while a refresh is under way stays out", async () => {
  const it = world();
  const [one, two] = [it.tab({ locks: noLocks() }), it.tab({ locks: noLocks() })];
  await one.signIn(CREDENTIALS);
  it.time += 600_000;
  let answer;
  it.answers.push(() => new Promise((done) => (answer = () => done(it.tokens()))));
  const refreshing = one.accessToken();
  await pass();
  await two.signOut();
  answer();
  await assert.rejects(refreshing, SignedOut);
  assert.equal(it.storage.tokens(), null);
});

test("signing out forgets the tokens even where the server cannot be told", async () => {
  const it = world();
  const tab = it.tab({ tries: 2, send: async (url, init) => (url.pathname === "/auth/signout" ? it.json(503) : it.send(url, init)) });
  await tab.signIn(CREDENTIALS);
  await assert.rejects(tab.signOut(), Unavailable);
  assert.equal(tab.isSignedIn, false);
  await tab.signOut();
});

test("wrong credentials are refused, and the session that there is stays", async () => {
  const it = world();
  const tab = it.tab();
  await tab.signIn(CREDENTIALS);
  const wrong = it.tab({ send: async () => it.json(401, { code: "invalid_credentials", status: 401, title: "no" }) });
  await assert.rejects(wrong.signIn({}), (error) => error instanceof Refused && error.problem.code === "invalid_credentials");
  assert.equal(it.storage.tokens().refresh, "r1");
});

test("no token goes to another origin", async () => {
  const it = world();
  const tab = it.tab();
  await tab.signIn(CREDENTIALS);
  for (const address of ["https://evil.example/me", "//evil.example/me", "http://api.example.com/me", "https://api.example.com:8443/me"]) {
    await assert.rejects(tab.fetch(address), TypeError);
  }
  assert.equal(it.requests.length, 1);
});

test("a token that was revoked is replaced once, and what is refused for other reasons is not tried again", async () => {
  const it = world();
  let refusals = 1;
  let challenge = 'Bearer error="invalid_token"';
  const tab = it.tab({
    send: async (url, init) => {
      if (!url.pathname.startsWith("/auth") && refusals > 0) {
        refusals -= 1;
        it.requests.push({ pathname: url.pathname });
        return it.json(401, {}, { "www-authenticate": challenge });
      }
      return it.send(url, init);
    },
  });
  await tab.signIn(CREDENTIALS);
  assert.equal((await tab.fetch("/me")).status, 200);
  assert.deepEqual(it.presented(), ["r1"]);
  refusals = 5;
  assert.equal((await tab.fetch("/me")).status, 401);
  assert.deepEqual(it.presented(), ["r1", "r2"]);
  challenge = 'Bearer error="insufficient_user_authentication"';
  assert.equal((await tab.fetch("/me")).status, 401);
  assert.deepEqual(it.presented(), ["r1", "r2"]);
});

test("what somebody else wrote under the key is nobody's session", async () => {
  const it = world({ shared: locks() });
  it.storage = storage();
  for (const text of ["", "null", "{}", "[1]", '{"access":1,"refresh":"r","until":1,"lifetime":1}', "not json"]) {
    it.storage.setItem("tollgate", text);
    await assert.rejects(it.tab().accessToken(), SignedOut);
  }
});

test("a sign-in with a further step goes on, and a wrong answer may be given again", async () => {
  const it = world();
  const bodies = [];
  const needed = (code, token) => ({ code, status: 401, title: code, step: "totp", step_token: token, expires_in: 300 });
  const answers = [
    () => it.json(401, needed("insufficient_user_authentication", "t1")),
    () => it.json(401, needed("invalid_credentials", "t2")),
    () => it.tokens(),
  ];
  const tab = it.tab({
    send: async (url, init) => {
      bodies.push([new URL(url).pathname, JSON.parse(init.body)]);
      return answers.shift()();
    },
  });
  const step = await tab.signIn(CREDENTIALS).then(assert.fail, (error) => error);
  assert.ok(step instanceof StepNeeded && step instanceof Refused);
  assert.deepEqual([step.step, step.expiresIn, step.isAgain], ["totp", 300, false]);
  const again = await tab.step(step, { code: "1" }).then(assert.fail, (error) => error);
  assert.ok(again instanceof StepNeeded && again.isAgain);
  assert.equal(tab.isSignedIn, false);
  await tab.step(again, { code: "2" });
  assert.equal(tab.isSignedIn, true);
  assert.deepEqual(bodies.slice(1), [
    ["/auth/signin/step", { code: "1", step_token: "t1" }],
    ["/auth/signin/step", { code: "2", step_token: "t2" }],
  ]);
});

test("routes and members may have other names", async () => {
  const it = world();
  const seen = [];
  const tab = it.tab({
    prefix: "/session",
    paths: { signin: "/in", refresh: "/renew", signout: "/out", sessions: "/devices", endSession: "/devices/{id}/end" },
    names: { accessToken: "token", refreshToken: "renewal" },
    send: async (url, init) => {
      seen.push([new URL(url).pathname, init.body && JSON.parse(init.body)]);
      if (/\/(out|end)$/.test(url.pathname)) return it.json(204);
      if (url.pathname.endsWith("/devices")) return it.json(200, []);
      return it.json(200, { token: `a${seen.length}`, renewal: `r${seen.length}`, expires_in: 600, name: "Ada" });
    },
  });
  assert.deepEqual(await tab.signIn(CREDENTIALS), { name: "Ada" });
  it.time += 600_000;
  assert.equal(await tab.accessToken(), "a2");
  assert.deepEqual(await tab.sessions(), []);
  await tab.endSession("a$&b");
  await tab.signOut();
  assert.deepEqual(seen, [
    ["/session/in", CREDENTIALS],
    ["/session/renew", { renewal: "r1" }],
    ["/session/devices", undefined],
    ["/session/devices/a%24%26b/end", undefined],
    ["/session/out", { renewal: "r2" }],
  ]);
});

test("with cookies no token is kept or sent, and one tab renews for all", async () => {
  const it = world();
  const seen = [];
  const send = async (url, init) => {
    const { pathname } = new URL(url);
    seen.push({ pathname, body: init.body, authorization: init.headers?.authorization, credentials: init.credentials });
    await pass();
    if (pathname === "/auth/signout") return it.json(204);
    if (pathname.startsWith("/auth/")) return it.json(200, { expires_in: 600, refresh_expires_in: 9, session_id: "s" });
    return it.json(200, {});
  };
  const tabs = [it.tab({ send, cookies: true }), it.tab({ send, cookies: true })];
  await tabs[0].signIn(CREDENTIALS);
  it.time += 600_000;
  await Promise.all(tabs.map((tab) => tab.fetch("/me")));
  await tabs[1].signOut();
  assert.equal(tabs[0].isSignedIn, false);
  assert.deepEqual(seen.map(({ pathname }) => pathname), ["/auth/signin", "/auth/refresh-access", "/me", "/me", "/auth/signout"]);
  for (const { authorization, credentials } of seen) assert.deepEqual([authorization, credentials], [undefined, "include"]);
  assert.deepEqual(seen.slice(1).map(({ body }) => body), [undefined, undefined, undefined, undefined]);
});

test("a cookie that the browser dropped is renewed, and the request is sent once more", async () => {
  const it = world();
  let asked = 0;
  const send = async (url) => {
    if (new URL(url).pathname.startsWith("/auth/")) return it.json(200, { expires_in: 600 });
    asked += 1;
    return asked === 1 ? it.json(401, { code: "missing_token", status: 401 }, { "www-authenticate": "Bearer" }) : it.json(200, {});
  };
  const tab = it.tab({ send, cookies: true });
  await tab.signIn(CREDENTIALS);
  assert.equal((await tab.fetch("/me")).status, 200);
  assert.equal(asked, 2);
});

test("a server that never changes the refresh token need not answer it", async () => {
  const it = world();
  const tab = it.tab();
  await tab.signIn(CREDENTIALS);
  it.time += 600_000;
  it.answers.push(() => it.json(200, { access_token: "renewed", expires_in: 600 }));
  assert.equal(await tab.accessToken(), "renewed");
  assert.deepEqual([it.storage.tokens().access, it.storage.tokens().refresh], ["renewed", "r1"]);
});

test("a proof never mixes the tokens of two users", async () => {
  const it = world();
  const [one, other] = [it.tab(), it.tab()];
  await one.signIn(CREDENTIALS);
  // The other tab holds the lock until somebody else is signed in.
  await Promise.all([other.signIn({ ...CREDENTIALS, email: "grace@example.com" }), one.reauthenticate(CREDENTIALS)]);
  assert.deepEqual([it.storage.tokens().access, it.storage.tokens().refresh], ["fresh-a2", "r2"]);
  // Without locks, a proof that somebody else overtook is not kept.
  const [third, fourth] = [it.tab({ locks: noLocks() }), it.tab({ locks: noLocks() })];
  const overtaken = third.reauthenticate(CREDENTIALS);
  await Promise.all([fourth.signIn(CREDENTIALS), assert.rejects(overtaken, Unavailable)]);
  assert.deepEqual([it.storage.tokens().access, it.storage.tokens().refresh], ["a3", "r3"]);
});

/** The answers of a gateway that cannot reach the server: its own page, JSON of its own, or nothing. */
function gateways(it) {
  return [500, 502, 504, 520].flatMap((status) => [
    () => it.json(status),
    () => it.json(status, { message: "upstream" }),
    () => new Response("<h1>Bad gateway</h1>", { status, headers: { "content-type": "text/html" } }),
  ]);
}

test("a gateway that cannot reach the server decides nothing", async () => {
  for (const answer of gateways(world())) {
    const it = world();
    const tab = it.tab({ tries: 2 });
    await tab.signIn(CREDENTIALS);
    it.time += 600_000;
    it.answers.push(answer);
    assert.equal(await tab.accessToken(), "a2");
    assert.deepEqual(it.presented(), ["r1", "r1"]);
    const through = (route) => it.tab({ tries: 2, send: async (url, init) => (url.pathname === route ? answer() : it.send(url, init)) });
    await assert.rejects(through("/auth/signin").signIn(CREDENTIALS), Unavailable);
    await assert.rejects(through("/auth/reauthenticate").reauthenticate(CREDENTIALS), Unavailable);
    await assert.rejects(through("/auth/sessions").sessions(), Unavailable);
    await assert.rejects(through("/auth/signout-all").signOutEverywhere(), Unavailable);
    assert.equal(it.storage.tokens().refresh, "r2");
    await assert.rejects(through("/auth/signout").signOut(), Unavailable);
  }
});

test("a gateway's answer to a sign-out is tried again", async () => {
  for (const answer of gateways(world())) {
    const it = world();
    let asked = 0;
    const tab = it.tab({ send: async (url, init) => (url.pathname === "/auth/signout" && (asked += 1) === 1 ? answer() : it.send(url, init)) });
    await tab.signIn(CREDENTIALS);
    await tab.signOut();
    assert.equal(asked, 2);
  }
});

test("a server that wants a long wait makes no tab wait", async () => {
  for (const status of [429, 503]) {
    const it = world();
    const tab = it.tab();
    await tab.signIn(CREDENTIALS);
    it.time += 600_000;
    it.answers.push(problem(it, status, "unavailable", { "retry-after": "30" }), problem(it, status, "unavailable", { "retry-after": "31" }));
    await assert.rejects(tab.accessToken(), (error) => error instanceof Unavailable && error.retryAfter === 31_000);
    assert.deepEqual(it.waits, [30_000]);
    assert.equal(it.storage.tokens().refresh, "r1");
  }
});

test("signing out everywhere leaves who signed in meanwhile alone", async () => {
  const it = world();
  const [one, other] = [it.tab(), it.tab()];
  await one.signIn(CREDENTIALS);
  await Promise.all([one.signOutEverywhere(), other.signIn({ ...CREDENTIALS, email: "grace@example.com" })]);
  assert.equal(it.storage.tokens().refresh, "r2");
  // A token that is replaced for the request itself is the same user's.
  it.time += 600_000;
  await one.signOutEverywhere();
  assert.equal(it.presented().length, 1);
  assert.equal(it.storage.tokens(), null);
});

test("the next page is found from the address of the one before", async () => {
  // A proxy that strips `/api`: the server does not know of it, and names the query alone.
  for (const base of ["", "https://api.example.com/api/auth/sessions"]) {
    const it = world();
    const asked = [];
    const send = async (url, init) => {
      if (!url.pathname.endsWith("/sessions")) return it.send(new URL(url.pathname.replace("/api", ""), url), init);
      asked.push(url.href);
      const isLast = url.search !== "";
      const answer = it.json(200, [{ session_id: isLast ? "b" : "a" }], isLast ? {} : { link: '<?after=a>; rel="next"' });
      // A `Response` of a real `fetch` knows its address.
      Object.defineProperty(answer, "url", { value: base });
      return answer;
    };
    const tab = it.tab({ prefix: "/api/auth", send });
    await tab.signIn(CREDENTIALS);
    assert.deepEqual(await tab.sessions(), [{ session_id: "a" }, { session_id: "b" }]);
    assert.deepEqual(asked, ["https://api.example.com/api/auth/sessions", "https://api.example.com/api/auth/sessions?after=a"]);
  }
});
