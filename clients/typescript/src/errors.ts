/** What can go wrong, as types: sign in again, show what was refused, or try again later. */

/** The members of a problem document (RFC 9457) that tollgate sends. */
export interface Problem {
  readonly code: string;
  readonly status: number;
  readonly title?: string;
  /** What is wrong with a malformed request, for its developer. */
  readonly detail?: string;
}

/** There is no session, or it is over: sign in. */
export class SignedOut extends Error {
  override readonly name = "SignedOut";
}

/** The server understood and said no: wrong credentials, for example. */
export class Refused extends Error {
  override readonly name: string = "Refused";
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.title ?? problem.code);
    this.problem = problem;
  }
}

/** The sign-in goes on with a further step, such as a code: `client.step(error, { code })`. */
export class StepNeeded extends Refused {
  override readonly name = "StepNeeded";
  /** What is asked for, as the backend names it: `totp`. */
  readonly step: string;
  readonly stepToken: string;
  /** For how many seconds the step may be answered. */
  readonly expiresIn: number;
  /** What the step needs, as the backend sends it: the challenge of a security key. */
  readonly challenge: unknown;

  constructor(problem: Problem, step: string, stepToken: string, expiresIn: number, challenge: unknown) {
    super(problem);
    this.step = step;
    this.stepToken = stepToken;
    this.expiresIn = expiresIn;
    this.challenge = challenge;
  }

  /** Whether an answer was wrong, and may be given again. */
  get isAgain(): boolean {
    return this.problem.code === "invalid_credentials";
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
