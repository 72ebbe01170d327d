// A browser without a browser: tabs that share a storage and locks, a clock that moves when somebody waits, and a gate.

import { Client } from "../dist/index.js";

/** Locks as `navigator.locks` has them, for all tabs that share this. */
export function locks() {
  const queues = new Map();
  return {
    held: 0,
    request(name, work) {
      const run = async () => {
        this.held += 1;
        try {
          return await work();
        } finally {
          this.held -= 1;
        }
      };
      const done = (queues.get(name) ?? Promise.resolve()).then(run);
      queues.set(name, done.catch(() => {}));
      return done;
    },
  };
}

/** A queue that is nobody else's: what a tab has where the browser has no locks. */
export const noLocks = locks;

export function storage(journal = []) {
  const kept = new Map();
  return {
    kept,
    getItem: (key) => kept.get(key) ?? null,
    setItem(key, value) {
      journal.push("stored");
      kept.set(key, value);
    },
    removeItem(key) {
      journal.push("removed");
      kept.delete(key);
    },
    tokens: () => JSON.parse(kept.get("tollgate") ?? "null"),
  };
}

export const pass = (turns = 20) => (turns === 0 ? Promise.resolve() : Promise.resolve().then(() => pass(turns - 1)));

/** A world of tabs around one gate. `answers` may say what the next refreshes get instead. */
export function world({ ttl = 600, journal = [], shared = locks() } = {}) {
  const it = {
    time: 1_000_000,
    waits: [],
    requests: [],
    answers: [],
    storage: storage(journal),
    journal,
    generation: 0,
    tab(options = {}) {
      return new Client({
        url: "https://api.example.com",
        storage: it.storage,
        locks: shared,
        send: it.send,
        now: () => it.time,
        wait: async (milliseconds) => {
          it.waits.push(milliseconds);
          it.time += milliseconds;
          await pass();
        },
        ...options,
      });
    },
    json: (status, body, headers = {}) =>
      new Response(body === undefined ? null : JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } }),
    tokens() {
      it.generation += 1;
      return it.json(200, { access_token: `a${it.generation}`, refresh_token: `r${it.generation}`, expires_in: ttl });
    },
    send: async (url, init) => {
      const { pathname } = new URL(url);
      const body = init.body === undefined ? undefined : JSON.parse(init.body);
      it.requests.push({ pathname, body, authorization: init.headers?.authorization });
      journal.push(`${init.method ?? "GET"} ${pathname}`);
      await pass();
      if (pathname === "/auth/refresh-access" && it.answers.length > 0) return it.answers.shift()({ init, body });
      if (pathname === "/auth/signin" || pathname === "/auth/refresh-access") return it.tokens();
      if (pathname === "/auth/reauthenticate") {
        // Whose proof it is, is whose the access token is.
        return it.json(200, { access_token: `fresh-${init.headers.authorization.slice("Bearer ".length)}`, expires_in: ttl });
      }
      if (pathname === "/auth/signout") return it.json(204);
      return it.json(200, { authorization: init.headers.authorization });
    },
    /** What was presented to be refreshed. */
    presented: () => it.requests.filter(({ pathname }) => pathname === "/auth/refresh-access").map(({ body }) => body.refresh_token),
  };
  return it;
}

export const CREDENTIALS = { email: "ada@example.com", password: "correct horse battery staple" };
