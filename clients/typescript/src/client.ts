/** The client: signs in, keeps the tokens fresh, and sends requests with them. */

import { Refused, SignedOut, Unavailable, type Problem } from "./errors.js";
import { locksOfThisPlace, type Locks } from "./locks.js";
import { keepOfThisPlace, Store, type Keep, type Tokens } from "./store.js";

/** What a client may be told. Only the address is needed. */
export interface Options {
  /** Where the API is: `https://api.example.com`. No token goes to any other origin. */
  readonly url: string;
  /** Under which path the gate's routes are: `/auth`. */
  readonly prefix?: string;
  /** The server's `refresh.window` in milliseconds: 10 000. A refresh is given up after half of it. */
  readonly window?: number;
  /** How long before its end an access token is replaced, in milliseconds: 30 000, and never more than half of its lifetime. */
  readonly early?: number;
  /** How often a refresh is tried before it is `Unavailable`: 5 times. */
  readonly tries?: number;
  /** Under which key the tokens are kept: `tollgate`. */
  readonly key?: string;
  /** Where they are kept: `localStorage`. */
  readonly storage?: Keep;
  /** What holds the other tabs back: `navigator.locks`. */
  readonly locks?: Locks;
  /** What sends requests: `fetch`. */
  readonly send?: typeof fetch;
  /** The time, in milliseconds since 1970. */
  readonly now?: () => number;
  /** Waits for so many milliseconds. */
  readonly wait?: (milliseconds: number) => Promise<void>;
}

/** What `fetch` takes beside an address. */
export type Request = Omit<RequestInit, "headers"> & { readonly headers?: Record<string, string> };

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter: number | undefined;
}

export class Client {
  readonly #url: URL;
  readonly #prefix: string;
  readonly #patience: number;
  readonly #early: number;
  readonly #tries: number;
  readonly #key: string;
  readonly #store: Store;
  readonly #locks: Locks;
  readonly #send: typeof fetch;
  readonly #now: () => number;
  readonly #wait: (milliseconds: number) => Promise<void>;
  /** The refresh that is under way in this tab. */
  #renewing: Promise<Tokens> | undefined;

  constructor(options: Options) {
    this.#url = new URL(options.url, globalThis.location?.href);
    this.#prefix = options.prefix ?? "/auth";
    const window = options.window ?? 10_000;
    // Without a window every answer that is lost has to be asked for again: waiting longer does no harm then.
    this.#patience = window > 0 ? window / 2 : 10_000;
    this.#early = options.early ?? 30_000;
    this.#tries = options.tries ?? 5;
    this.#key = options.key ?? "tollgate";
    this.#store = new Store(options.storage ?? keepOfThisPlace(), this.#key);
    this.#locks = options.locks ?? locksOfThisPlace();
    this.#send = options.send ?? ((input, init) => globalThis.fetch(input, init));
    this.#now = options.now ?? Date.now;
    this.#wait = options.wait ?? ((milliseconds) => new Promise((done) => setTimeout(done, milliseconds)));
  }

  /** Whether there are tokens. Whether they still count, only the server knows. */
  get isSignedIn(): boolean {
    return this.#store.read() !== undefined;
  }

  /**
   * Signs in: `{ email, password }`, `{ username, password }`, or what the backend takes.
   *
   * The lock is held meanwhile, so that no tab's refresh of an older session writes over the tokens of this one.
   *
   * @throws Refused, where the credentials are not right; Unavailable.
   */
  async signIn(credentials: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#alone(async () => {
      const sentAt = this.#now();
      const answer = await this.#post("/signin", credentials, SIGN_IN_PATIENCE);
      if (answer === undefined) throw new Unavailable("there was no answer");
      this.#store.write(this.#tokens(answer, sentAt));
    });
  }

  /**
   * An access token that is good for a while; a fresh one where the one that is kept is about to run out.
   *
   * @throws SignedOut, Unavailable.
   */
  async accessToken(): Promise<string> {
    const held = this.#store.read();
    if (held === undefined) throw new SignedOut("nobody is signed in");
    return this.#isFresh(held) ? held.access : (await this.#renew(held)).access;
  }

  /**
   * As `fetch`, with the access token. Where the server says that the token no longer counts, once more with a fresh one.
   *
   * @throws SignedOut, Unavailable; TypeError, where the address is of another origin.
   */
  async fetch(address: string | URL, request: Request = {}): Promise<Response> {
    const url = new URL(address, this.#url);
    if (url.origin !== this.#url.origin) throw new TypeError(`no token goes to ${url.origin}`);
    const send = (access: string): Promise<Response> =>
      this.#send(url, { ...request, headers: { ...request.headers, authorization: `Bearer ${access}` } });
    const access = await this.accessToken();
    const answer = await send(access);
    // A body that was read away cannot be sent twice.
    if (answer.status !== 401 || request.body instanceof ReadableStream) return answer;
    const challenge = answer.headers.get("www-authenticate") ?? "";
    if (!challenge.includes('error="invalid_token"')) return answer;
    const held = this.#store.read();
    if (held === undefined) throw new SignedOut("somebody signed out");
    return send(held.access === access ? (await this.#renew(held)).access : held.access);
  }

  /**
   * Signs out. The tokens are gone in all tabs whatever happens.
   *
   * @throws Unavailable, where the server could not be told: the session is over only when it ends by itself.
   */
  async signOut(): Promise<void> {
    await this.#alone(async () => {
      const held = this.#store.read();
      this.#store.clear();
      if (held === undefined) return;
      const answer = await this.#persist(() => this.#post("/signout", { refresh_token: held.refresh }, this.#patience));
      // 401: it was over already.
      if (answer.status !== 401 && answer.status >= 300) throw new Refused(problem(answer));
    });
  }

  /** Calls `heard` whenever another tab signs in, refreshes or signs out. Answers what ends that. */
  watch(heard: (isSignedIn: boolean) => void): () => void {
    const listener = (event: StorageEvent): void => {
      if (event.key === this.#key || event.key === null) heard(this.isSignedIn);
    };
    globalThis.addEventListener?.("storage", listener);
    return () => globalThis.removeEventListener?.("storage", listener);
  }

  /** Brings fresh tokens: one refresh for all who ask in this tab, and for all tabs. */
  #renew(seen: Tokens): Promise<Tokens> {
    this.#renewing ??= this.#alone(() => this.#renewAlone(seen)).finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renewAlone(seen: Tokens): Promise<Tokens> {
    let held = this.#store.read();
    // Another tab was faster.
    if (held !== undefined && held.access !== seen.access && this.#isFresh(held)) return held;
    let used: Tokens | undefined;
    let sentAt = 0;
    const answer = await this.#persist(async () => {
      held = this.#store.read();
      if (held === undefined) throw new SignedOut("somebody signed out");
      used = held;
      sentAt = this.#now();
      const answer = await this.#post("/refresh-access", { refresh_token: held.refresh }, this.#patience);
      // A machine that slept has heard of its answer too late: whoever waited may have been answered meanwhile.
      return this.#now() - sentAt > this.#patience ? undefined : answer;
    });
    const now = this.#store.read();
    // Without locks another tab may have refreshed, or somebody signed in or out: what is kept counts, and this answer does not.
    if (now?.refresh !== used?.refresh) {
      if (now === undefined) throw new SignedOut("somebody signed out");
      return now;
    }
    if (answer.status === 401) {
      this.#store.clear();
      throw new SignedOut("the session is over");
    }
    const tokens = this.#tokens(answer, sentAt);
    // Kept before anybody uses it.
    this.#store.write(tokens);
    return tokens;
  }

  /** Asks until there is an answer that decides something: as often as allowed, and as late as the server wants it. */
  async #persist(ask: () => Promise<Answer | undefined>): Promise<Answer> {
    let retryAfter: number | undefined;
    for (let tried = 1; ; tried += 1) {
      const answer = await ask();
      if (answer !== undefined && answer.status !== 503 && answer.status !== 429) return answer;
      retryAfter = answer?.retryAfter;
      if (tried >= this.#tries) {
        throw new Unavailable(answer === undefined ? "there was no answer" : "the server could not decide", retryAfter);
      }
      await this.#wait(retryAfter ?? Math.min(PAUSE * 2 ** (tried - 1), LONGEST_PAUSE));
    }
  }

  /** Posts a body. `undefined` where no answer came in time, or no whole one. */
  async #post(path: string, body: unknown, patience: number): Promise<Answer | undefined> {
    const aborting = new AbortController();
    const timer = setTimeout(() => aborting.abort(), patience);
    try {
      const response = await this.#send(new URL(this.#prefix + path, this.#url), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: aborting.signal,
        cache: "no-store",
        credentials: "omit",
      });
      const text = await response.text();
      const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
      const retryAfter = Number.isFinite(seconds) ? seconds * 1000 : undefined;
      return { status: response.status, body: text === "" ? undefined : JSON.parse(text), retryAfter };
    } catch {
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  #tokens({ status, body, retryAfter }: Answer, sentAt: number): Tokens {
    const told = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
    const { access_token: access, refresh_token: refresh, expires_in: seconds } = told;
    if (status === 200 && typeof access === "string" && typeof refresh === "string" && typeof seconds === "number") {
      return { access, refresh, until: sentAt + seconds * 1000, lifetime: seconds * 1000 };
    }
    if (status === 503 || status === 429 || status === 200) throw new Unavailable("the server could not decide", retryAfter);
    throw new Refused(problem({ status, body, retryAfter }));
  }

  #isFresh(tokens: Tokens): boolean {
    return tokens.until - this.#now() > Math.min(this.#early, tokens.lifetime / 2);
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#locks.request(this.#key, work);
  }
}

function problem({ status, body }: Answer): Problem {
  const told = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const code = typeof told["code"] === "string" ? told["code"] : "unknown";
  return typeof told["title"] === "string" ? { code, status, title: told["title"] } : { code, status };
}

/** How long a sign-in may take: it is not repeated. */
const SIGN_IN_PATIENCE = 30_000;
const PAUSE = 250;
const LONGEST_PAUSE = 4_000;
