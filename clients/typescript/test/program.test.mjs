// The client against a program that runs: `API` says where, and its access tokens live for two seconds.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Client, Refused, SignedOut, StepNeeded } from "../dist/index.js";
import { CREDENTIALS, locks, storage } from "./fakes.mjs";

const url = process.env.API;
const options = { skip: url === undefined ? "API is not set" : false };

/** A tab, and how many refreshes it sent. */
function tab(shared) {
  const count = { refreshes: 0 };
  const send = (address, init) => {
    count.refreshes += Number(new URL(address).pathname.endsWith("/refresh-access"));
    return fetch(address, init);
  };
  return { client: new Client({ url, send, ...shared }), count };
}

describe("a program", { concurrency: true }, () => {
  test("three tabs live for a while on short tokens, and sign out", options, async () => {
    const shared = { storage: storage(), locks: locks() };
    const tabs = [tab(shared), tab(shared), tab(shared)];
    await tabs[0].client.signIn(CREDENTIALS);
    const first = shared.storage.tokens();
    const seen = new Set();
    const end = Date.now() + 5_000;
    while (Date.now() < end) {
      const answers = await Promise.all(tabs.map(({ client }) => client.fetch("/me")));
      for (const answer of answers) {
        assert.equal(answer.status, 200);
        assert.equal((await answer.json()).email, CREDENTIALS.email);
      }
      seen.add(shared.storage.tokens().access);
      await new Promise((done) => setTimeout(done, 100));
    }
    const refreshes = tabs.reduce((sum, { count }) => sum + count.refreshes, 0);
    assert.ok(seen.size >= 3, `${seen.size} access tokens`);
    assert.equal(refreshes, seen.size - 1, "each access token after the first was one refresh");
    const last = shared.storage.tokens();
    await tabs[1].client.signOut();
    for (const { client } of tabs) await assert.rejects(client.accessToken(), SignedOut);
    for (const { refresh } of [first, last]) {
      shared.storage.setItem("tollgate", JSON.stringify({ access: "a", refresh, until: 0, lifetime: 1 }));
      await assert.rejects(tabs[2].client.accessToken(), SignedOut);
    }
  });

  test("without locks and all at once, nobody is signed out", options, async () => {
    const kept = storage();
    const tabs = Array.from({ length: 8 }, () => tab({ storage: kept, locks: locks() }));
    await tabs[0].client.signIn(CREDENTIALS);
    for (let round = 0; round < 3; round += 1) {
      await new Promise((done) => setTimeout(done, 1_100));
      const answers = await Promise.all(tabs.map(({ client }) => client.fetch("/me")));
      assert.deepEqual(answers.map(({ status }) => status), tabs.map(() => 200));
    }
  });

  test("an answer that got lost is asked for again", options, async () => {
    const kept = storage();
    let lost = 0;
    const send = async (address, init) => {
      const answer = await fetch(address, init);
      if (new URL(address).pathname.endsWith("/refresh-access") && lost < 2) {
        lost += 1;
        throw new TypeError("the network changed");
      }
      return answer;
    };
    const client = new Client({ url, storage: kept, locks: locks(), send });
    await client.signIn(CREDENTIALS);
    await new Promise((done) => setTimeout(done, 1_100));
    assert.equal((await client.fetch("/me")).status, 200);
    assert.equal(lost, 2);
  });

  test("wrong credentials are refused", options, async () => {
    const client = new Client({ url, storage: storage(), locks: locks() });
    await assert.rejects(client.signIn({ ...CREDENTIALS, password: "wrong" }), (error) => error instanceof Refused && error.problem.code === "invalid_credentials");
    assert.equal(client.isSignedIn, false);
  });

  test("devices are listed and ended, and a user authenticates again", options, async () => {
    const place = () => ({ storage: storage(), locks: locks() });
    const [here, there] = [new Client({ url, ...place() }), new Client({ url, ...place() })];
    await here.signIn({ ...CREDENTIALS, device_name: "a notebook" });
    await there.signIn({ ...CREDENTIALS, device_name: "a telephone" });
    const named = (await here.sessions()).filter(({ device_name }) => ["a notebook", "a telephone"].includes(device_name));
    assert.deepEqual(named.map(({ device_name, current }) => [device_name, current]), [["a notebook", true], ["a telephone", false]]);
    await here.endSession(named[1].session_id);
    await assert.rejects(there.sessions(), SignedOut);
    await assert.rejects(here.endSession("nothing"), (error) => error instanceof Refused && error.problem.code === "not_found");
    const before = await here.accessToken();
    await here.reauthenticate(CREDENTIALS);
    assert.notEqual(await here.accessToken(), before);
    assert.equal((await here.fetch("/me")).status, 200);
    await assert.rejects(here.reauthenticate({ ...CREDENTIALS, password: "wrong" }), Refused);
  });

  test("signing out everywhere ends every session of the user", options, async () => {
    const grace = { ...CREDENTIALS, email: "grace@example.com" };
    const [here, there] = [0, 1].map(() => new Client({ url, storage: storage(), locks: locks() }));
    await here.signIn(grace);
    await there.signIn(grace);
    await here.signOutEverywhere();
    assert.equal(here.isSignedIn, false);
    await assert.rejects(there.sessions(), SignedOut);
  });
});

// A program with a second factor: `STEPS_API` says where, and its `/letter` answers the code that it sent last.
const steps = process.env.STEPS_API;

test("a program asks for a code, and for it again", { skip: steps === undefined ? "STEPS_API is not set" : false }, async () => {
  const client = new Client({ url: steps, storage: storage(), locks: locks() });
  const grace = { ...CREDENTIALS, email: "grace@example.com", transport: "body" };
  const needed = await client.signIn(grace).then(assert.fail, (error) => error);
  assert.ok(needed instanceof StepNeeded, String(needed));
  assert.deepEqual([needed.step, needed.isAgain, client.isSignedIn], ["code", false, false]);
  const again = await client.step(needed, { code: "no code", transport: "body" }).then(assert.fail, (error) => error);
  assert.ok(again instanceof StepNeeded && again.isAgain, String(again));
  const code = await (await fetch(`${steps}/letter`)).text();
  await client.step(again, { code, transport: "body" });
  assert.equal((await (await client.fetch("/me")).json()).email, grace.email);
  // Each step counts once.
  await assert.rejects(client.step(again, { code, transport: "body" }), Refused);
});
