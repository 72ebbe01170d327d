/** What can go wrong, as types: sign in again, show what was refused, or try again later. */

/** The members of a problem document (RFC 9457) that tollgate sends. */
export interface Problem {
  readonly code: string;
  readonly status: number;
  readonly title?: string;
}

/** There is no session, or it is over: sign in. */
export class SignedOut extends Error {
  override readonly name = "SignedOut";
}

/** The server understood and said no: wrong credentials, for example. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.title ?? problem.code);
    this.problem = problem;
  }
}

/** Nobody could decide: no network, or a server that says so. Nothing is lost; try again later. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
  /** After how many milliseconds the server wants to be asked again, where it said so. */
  readonly retryAfter: number | undefined;

  constructor(message: string, retryAfter?: number) {
    super(message);
    this.retryAfter = retryAfter;
  }
}
