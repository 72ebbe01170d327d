/** The client: signs in, keeps the tokens fresh, and sends requests with them. */

import type { Session } from "./api.js";
import { Refused, SignedOut, StepNeeded, Unavailable, type Problem } from "./errors.js";
import { locksOfThisPlace, type Locks } from "./locks.js";
import { keepOfThisPlace, Store, type Keep, type Tokens } from "./store.js";

/** What a client may be told. Only the address is needed. */
export interface Options {
  /** Where the API is: `https://api.example.com`. No token goes to any other origin. */
  readonly url: string;
  /** Under which path the gate's routes are: `/auth`. */
  readonly prefix?: string;
  /** The routes below the prefix that the backend named otherwise: `{ signin: "/login" }`. */
  readonly paths?: Partial<Paths>;
  /** The members of the tokens that the backend named otherwise. */
  readonly names?: { readonly accessToken?: string; readonly refreshToken?: string };
  /** Whether the browser keeps the tokens in cookies, which no script sees: `cookies.path` is set. */
  readonly cookies?: boolean;
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

/** Where the routes are, below the prefix. */
export interface Paths {
  readonly signin: string;
  /** A further step of a sign-in; by default `/step` below `signin`. */
  readonly step: string;
  readonly refresh: string;
  readonly reauthenticate: string;
  readonly signout: string;
  readonly signoutAll: string;
  readonly sessions: string;
  /** The end of a session, with `{id}`; by default `/{id}` below `sessions`. */
  readonly endSession: string;
}

/** What `fetch` takes beside an address. */
export type Request = Omit<RequestInit, "headers"> & { readonly headers?: Record<string, string> };

/** The members that the backend adds to the answer of a sign-in (`answer = …`), such as the name of the user. */
export type Added = Readonly<Record<string, unknown>>;

/** The members of an answer beside the tokens. */
const MEMBERS = ["token_type", "expires_in", "refresh_expires_in", "session_id"];

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter: number | undefined;
}

/** An answer, and the tokens that its request was sent with. */
interface Sent {
  readonly answer: Response;
  readonly used: Tokens;
}

export class Client {
  readonly #url: URL;
  readonly #prefix: string;
  readonly #paths: Paths;
  readonly #names: { readonly accessToken: string; readonly refreshToken: string };
  readonly #cookies: boolean;
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
    this.#paths = {
      signin: "/signin",
      step: `${options.paths?.signin ?? "/signin"}/step`,
      refresh: "/refresh-access",
      reauthenticate: "/reauthenticate",
      signout: "/signout",
      signoutAll: "/signout-all",
      sessions: "/sessions",
      endSession: `${options.paths?.sessions ?? "/sessions"}/{id}`,
      ...options.paths,
    };
    this.#names = { accessToken: "access_token", refreshToken: "refresh_token", ...options.names };
    this.#cookies = options.cookies ?? false;
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
   * @returns what the backend adds to its answer.
   * @throws StepNeeded, where a further step is needed: answer it with `step`; Refused, where the credentials are not right; Unavailable.
   */
  async signIn(credentials: Readonly<Record<string, unknown>>): Promise<Added> {
    return this.#open(this.#paths.signin, credentials);
  }

  /**
   * Goes on with a sign-in: the error that `signIn` threw, and what answers its step, such as `{ code }`.
   *
   * @throws StepNeeded, where there is one more step, or the answer was wrong and may be given again; Refused; Unavailable.
   */
  async step(needed: StepNeeded, answer: Readonly<Record<string, unknown>>): Promise<Added> {
    return this.#open(this.#paths.step, { ...answer, step_token: needed.stepToken });
  }

  async #open(path: string, body: unknown): Promise<Added> {
    return this.#alone(async () => {
      const sentAt = this.#now();
      const answer = await this.#post(path, body, SIGN_IN_PATIENCE);
      if (answer === undefined) throw new Unavailable("there was no answer");
      this.#store.write(this.#tokens(answer, sentAt));
      return this.#added(answer.body);
    });
  }

  /** The members of an answer that are not the gate's own. */
  #added(body: unknown): Added {
    const own = [...MEMBERS, this.#names.accessToken, this.#names.refreshToken];
    const members = typeof body === "object" && body !== null ? Object.entries(body) : [];
    return Object.fromEntries(members.filter(([name]) => !own.includes(name)));
  }

  /**
   * Proves again who the user is, for what needs it: the access token has a fresh `auth_time` then.
   *
   * @throws StepNeeded: call it once more with `step_token` and the answer; Refused, SignedOut, Unavailable.
   */
  async reauthenticate(credentials: Readonly<Record<string, unknown>>): Promise<void> {
    await this.accessToken();
    await this.#alone(async () => {
      // Another tab may have signed somebody else in while this one waited.
      const held = this.#store.read();
      if (held === undefined) throw new SignedOut("somebody signed out");
      const sentAt = this.#now();
      const answer = await this.#post(this.#paths.reauthenticate, credentials, SIGN_IN_PATIENCE, held.access);
      if (answer === undefined) throw new Unavailable("there was no answer");
      const tokens = this.#tokens(answer, sentAt, held.refresh);
      // Without locks, what is kept counts: the answer may be another user's.
      const now = this.#store.read();
      if (now === undefined) throw new SignedOut("somebody signed out");
      if (now.refresh !== held.refresh) throw new Unavailable("another tab changed the session");
      this.#store.write(tokens);
    });
  }

  /**
   * The live sessions of the user, oldest first: their devices, of which `current` is this one.
   *
   * @throws Refused, SignedOut, Unavailable.
   */
  async sessions(): Promise<readonly Session[]> {
    const all: Session[] = [];
    for (let next: URL | undefined = new URL(this.#prefix + this.#paths.sessions, this.#url); next !== undefined; ) {
      const { answer } = await this.#ask(next);
      all.push(...((await answer.json()) as Session[]));
      const link = /<([^>]*)>; *rel="next"/.exec(answer.headers.get("link") ?? "")?.[1];
      next = link === undefined ? undefined : new URL(link, answer.url || next);
    }
    return all;
  }

  /**
   * Ends a session of the user. Where it is this one, `signOut` does the same and forgets the tokens.
   *
   * @throws Refused, where there is no such session; SignedOut, Unavailable.
   */
  async endSession(id: string): Promise<void> {
    const path = this.#paths.endSession.replace("{id}", () => encodeURIComponent(id));
    await this.#ask(this.#prefix + path, "DELETE");
  }

  /**
   * Signs the user out everywhere.
   *
   * @throws Refused, SignedOut, Unavailable.
   */
  async signOutEverywhere(): Promise<void> {
    const { used } = await this.#ask(this.#prefix + this.#paths.signoutAll, "POST");
    await this.#alone(async () => {
      // Another tab may have signed somebody else in meanwhile.
      if (this.#store.read()?.refresh === used.refresh) this.#store.clear();
    });
  }

  /** Sends a request of the user, and refuses every other answer than a good one. */
  async #ask(path: string | URL, method = "GET"): Promise<Sent> {
    const sent = await this.#request(path, { method }).catch((error: unknown) => {
      throw error instanceof SignedOut || error instanceof Unavailable ? error : new Unavailable("there was no answer");
    });
    const { answer } = sent;
    if (answer.ok) return sent;
    if (isUndecided(answer.status)) throw new Unavailable("the server could not decide", retryAfter(answer));
    throw refused({ status: answer.status, body: await answer.json().catch(() => undefined), retryAfter: undefined });
  }

  /**
   * An access token that is good for a while; a fresh one where the one that is kept is about to run out. With cookies it is no token,
   * but a name for the cookie that the browser has.
   *
   * @throws SignedOut, Unavailable.
   */
  async accessToken(): Promise<string> {
    return (await this.#fresh()).access;
  }

  async #fresh(): Promise<Tokens> {
    const held = this.#store.read();
    if (held === undefined) throw new SignedOut("nobody is signed in");
    return this.#isFresh(held) ? held : this.#renew(held);
  }

  /**
   * As `fetch`, with the access token. Where the server says that the token no longer counts, once more with a fresh one.
   *
   * @throws SignedOut, Unavailable; TypeError, where the address is of another origin.
   */
  async fetch(address: string | URL, request: Request = {}): Promise<Response> {
    return (await this.#request(address, request)).answer;
  }

  async #request(address: string | URL, request: Request): Promise<Sent> {
    const url = new URL(address, this.#url);
    if (url.origin !== this.#url.origin) throw new TypeError(`no token goes to ${url.origin}`);
    const send = (access: string): Promise<Response> =>
      this.#send(url, { ...request, ...this.#credentials(access, request.headers) });
    const used = await this.#fresh();
    const answer = await send(used.access);
    const sent = { answer, used };
    // A body that was read away cannot be sent twice.
    if (answer.status !== 401 || request.body instanceof ReadableStream) return sent;
    const challenge = answer.headers.get("www-authenticate") ?? "";
    // A browser drops a cookie when its time is out, so that the request came without.
    const isOver = this.#cookies ? !challenge.includes("error=") : false;
    if (!isOver && !challenge.includes('error="invalid_token"')) return sent;
    const held = this.#store.read();
    if (held === undefined) throw new SignedOut("somebody signed out");
    const again = held.access === used.access ? await this.#renew(held) : held;
    return { answer: await send(again.access), used: again };
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
      const body = this.#cookies ? undefined : { [this.#names.refreshToken]: held.refresh };
      const answer = await this.#persist(() => this.#post(this.#paths.signout, body, this.#patience));
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
      const body = this.#cookies ? undefined : { [this.#names.refreshToken]: held.refresh };
      const answer = await this.#post(this.#paths.refresh, body, this.#patience);
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
    // With `refresh.answer_token = false` the token stays the same and is not answered.
    const tokens = this.#tokens(answer, sentAt, used?.refresh);
    // Kept before anybody uses it.
    this.#store.write(tokens);
    return tokens;
  }

  /** Asks until there is an answer that decides something: as often as allowed, and as late as the server wants it. */
  async #persist(ask: () => Promise<Answer | undefined>): Promise<Answer> {
    let retryAfter: number | undefined;
    for (let tried = 1; ; tried += 1) {
      const answer = await ask();
      if (answer !== undefined && !isUndecided(answer.status)) return answer;
      retryAfter = answer?.retryAfter;
      // The lock of all tabs is held meanwhile.
      if (tried >= this.#tries || (retryAfter ?? 0) > LONGEST_RETRY_AFTER) {
        throw new Unavailable(answer === undefined ? "there was no answer" : "the server could not decide", retryAfter);
      }
      await this.#wait(retryAfter ?? Math.min(PAUSE * 2 ** (tried - 1), LONGEST_PAUSE));
    }
  }

  /** Posts a body. `undefined` where no answer came in time, or no whole one. */
  async #post(path: string, body: unknown, patience: number, access?: string): Promise<Answer | undefined> {
    const aborting = new AbortController();
    const timer = setTimeout(() => aborting.abort(), patience);
    try {
      const response = await this.#send(new URL(this.#prefix + path, this.#url), {
        method: "POST",
        ...this.#credentials(access, body === undefined ? {} : { "content-type": "application/json" }),
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: aborting.signal,
        cache: "no-store",
      });
      const text = await response.text();
      // A gateway answers in its own form, and then the status is all that counts.
      const told = text === "" || isUndecided(response.status) ? undefined : JSON.parse(text);
      return { status: response.status, body: told, retryAfter: retryAfter(response) };
    } catch {
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  /** How a request says who sends it: with a token in a header, or with the browser's cookies. */
  #credentials(access: string | undefined, headers: Readonly<Record<string, string>> = {}): Pick<RequestInit, "headers" | "credentials"> {
    if (this.#cookies) return { headers: { ...headers }, credentials: "include" };
    if (access === undefined) return { headers: { ...headers }, credentials: "omit" };
    return { headers: { ...headers, authorization: `Bearer ${access}` } };
  }

  /** The tokens of an answer; `kept` is the refresh token where the answer has none. */
  #tokens({ status, body, retryAfter }: Answer, sentAt: number, kept?: string): Tokens {
    const told = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
    const seconds = told["expires_in"];
    // With cookies nothing is kept but how long they are good, under a name that tells one pair from the next.
    const name = `cookie-${sentAt}-${Math.random().toString(36).slice(2)}`;
    const access = this.#cookies ? name : told[this.#names.accessToken];
    const refresh = this.#cookies ? name : (told[this.#names.refreshToken] ?? kept);
    if (status === 200 && typeof access === "string" && typeof refresh === "string" && typeof seconds === "number") {
      return { access, refresh, until: sentAt + seconds * 1000, lifetime: seconds * 1000 };
    }
    if (isUndecided(status) || status === 200) throw new Unavailable("the server could not decide", retryAfter);
    throw refused({ status, body, retryAfter });
  }

  #isFresh(tokens: Tokens): boolean {
    return tokens.until - this.#now() > Math.min(this.#early, tokens.lifetime / 2);
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#locks.request(this.#key, work);
  }
}

/** Whether an answer decides nothing: too many requests, or a server or a gateway that is in trouble. */
function isUndecided(status: number): boolean {
  return status === 429 || status >= 500;
}

/** After how many milliseconds the server wants to be asked again. */
function retryAfter(response: Response): number | undefined {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1000 : undefined;
}

/** The error of an answer that says no. */
function refused(answer: Answer): Refused {
  const told = (typeof answer.body === "object" && answer.body !== null ? answer.body : {}) as Record<string, unknown>;
  const { step, step_token: token, expires_in: seconds, challenge } = told;
  if (typeof step === "string" && typeof token === "string") {
    return new StepNeeded(problem(answer), step, token, typeof seconds === "number" ? seconds : 0, challenge);
  }
  return new Refused(problem(answer));
}

function problem({ status, body }: Answer): Problem {
  const told = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const code = typeof told["code"] === "string" ? told["code"] : "unknown";
  const text = (name: string): Record<string, string> => (typeof told[name] === "string" ? { [name]: told[name] } : {});
  return { code, status, ...text("title"), ...text("detail") };
}

/** How long a sign-in may take: it is not repeated. */
const SIGN_IN_PATIENCE = 30_000;
const PAUSE = 250;
const LONGEST_PAUSE = 4_000;
/** The longest time that a server may make all tabs wait, in milliseconds. */
const LONGEST_RETRY_AFTER = 30_000;
